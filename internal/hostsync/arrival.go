package hostsync

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// An arrivalState is what became of something that the host told.
type arrivalState string

const (
	waiting arrivalState = "waiting" // nobody has looked at it, or an order about the same user is on its way
	done    arrivalState = "done"    // taken over, all of it
	old     arrivalState = "old"     // something newer says all that counts
	parked  arrivalState = "parked"  // not taken over, or not all of it: somebody must look
	aside   arrivalState = "aside"   // somebody looked, and it is to stay as it is
)

// A Kind is what an arrival is about. They are taken in this order.
type Kind string

const (
	kindOrganization Kind = "1 organization"
	kindDefaults     Kind = "2 defaults"
	kindAnnounced    Kind = "3 announced"
	kindUser         Kind = "4 user"
	kindOrder        Kind = "5 order" // one of ours, that the host refused
)

// Why something of the host's is parked, beside what usermgmt leaves off.
const (
	codeMalformed           = "MALFORMED"
	codeContradictory       = "CONTRADICTORY"
	codeUnknownOrganization = "UNKNOWN_ORGANIZATION"
	codeUnknownAccount      = "UNKNOWN_ACCOUNT"
	codeUnknownPermission   = "UNKNOWN_PERMISSION"
	codeUnknownMember       = "UNKNOWN_MEMBER"
	codeOtherOrganization   = "OTHER_ORGANIZATION"
	codeClosedAccount       = "CLOSED_ACCOUNT"
	codeBadValue            = "BAD_VALUE"
)

// healing are the reasons that another arrival about the same organization may
// do away with: then what is parked for them is looked at again.
const healing = `'` + codeUnknownOrganization + `', '` + codeUnknownAccount + `', '` + usermgmt.LeftLastAdmin + `', '` + usermgmt.LeftEmailTaken + `'`

// An arrival is something that the host told, and what became of it.
type arrival struct {
	ID           string
	Place        int64
	Kind         Kind
	Subject      host.Ref // the user, the organization or the role that it is about
	Organization host.Ref
	Version      int64
	Channel      host.Channel
	By           string
	Made         time.Time
	Arrived      time.Time
	State        arrivalState
	Code         string
	Note         string

	content []byte // the event as JSON; of an order the order
	digest  []byte
}

// received is an event as an arrival, before it is stored.
func received(e host.Event) (arrival, error) {
	e.Mark = "" // told again, an event may have another one
	content, err := json.Marshal(e)
	if err != nil {
		return arrival{}, fmt.Errorf("write the event %s: %w", e.ID, err)
	}
	a := arrival{ID: e.ID, Channel: e.Channel, By: e.By, Made: e.At, State: waiting, content: content}
	told := 0
	if e.Organization != nil {
		a.Kind, a.Subject, a.Organization, a.Version = kindOrganization, e.Organization.Ref, e.Organization.Ref, e.Organization.Version
		told++
	}
	if e.Defaults != nil {
		a.Kind, a.Subject, a.Version = kindDefaults, host.Ref(e.Defaults.Role.String()), e.Defaults.Version
		told++
	}
	if e.Announced != nil {
		a.Kind, a.Subject, a.Organization = kindAnnounced, e.Announced.Ref, e.Announced.Organization
		told++
	}
	if e.User != nil {
		a.Kind, a.Subject, a.Organization, a.Version = kindUser, e.User.Ref, e.User.Organization, e.User.Version
		told++
	}
	a.digest = digest(content)
	if e.Unreadable != "" {
		a.Kind, a.State, a.Code, a.Note = kindUser, parked, codeMalformed, "The host told something that cannot be read: "+e.Unreadable
	} else if told != 1 || a.ID == "" || a.Subject == "" || a.Kind != kindAnnounced && a.Version <= 0 {
		a.State, a.Code, a.Note = parked, codeMalformed, "The event does not say what it is about, or which version."
		if a.Kind == "" {
			a.Kind = kindUser
		}
	}
	if what := unstorable(content); what != "" {
		a.ID, a.Subject, a.Organization, a.Channel, a.By = "", "", "", host.Core, ""
		a.Kind, a.State, a.Code, a.Note = kindUser, parked, codeMalformed, "The host told "+what+"."
	}
	if a.ID == "" {
		a.ID = "unnamed " + hex.EncodeToString(a.digest[:8])
	}
	return a, nil
}

// maxText is the longest text that anything of a host's may have, in bytes.
const maxText = 1000

// unstorable says what in an event could not be kept or looked up by, and
// nothing of an event that could.
func unstorable(content []byte) string {
	tokens := json.NewDecoder(bytes.NewReader(content))
	for {
		token, err := tokens.Token()
		if err != nil {
			return "" // the end: we wrote it ourselves
		}
		switch text, _ := token.(string); {
		case strings.Contains(text, "\x00"):
			return "text with a zero character in it"
		case strings.Contains(text, "\ufffd"):
			return "text that is not valid UTF-8"
		case len(text) > maxText:
			return fmt.Sprintf("a text of more than %d bytes", maxText)
		}
	}
}

// event is what the host told.
func (a *arrival) event() (e host.Event, err error) {
	if err := json.Unmarshal(a.content, &e); err != nil {
		return e, fmt.Errorf("read the event %s: %w", a.ID, err)
	}
	return e, nil
}

// insert stores an arrival unless it has arrived before. The same event with
// another content is one of its own: versions tell which of them counts.
func (a *arrival) insert(tx *db.Tx, institution bank.InstitutionID) (stored bool, err error) {
	n, err := a.tryInsert(tx, institution)
	if err != nil || n == 1 {
		return n == 1, err
	}
	first, err := db.One(tx, db.Value[[]byte], `select digest from host_arrival where institution_id = $1 and id = $2`, institution, a.ID)
	if err != nil {
		return false, fmt.Errorf("look for the event %s: %w", a.ID, err)
	}
	if bytes.Equal(first, a.digest) {
		return false, nil
	}
	other := *a
	other.ID += " " + hex.EncodeToString(a.digest[:8])
	n, err = other.tryInsert(tx, institution)
	return n == 1, err
}

func (a *arrival) tryInsert(tx *db.Tx, institution bank.InstitutionID) (int64, error) {
	n, err := tx.Exec(`
		insert into host_arrival (institution_id, id, place, kind, subject, organization_ref, version, channel, made_by, made_micros, arrived_micros,
			settled_micros, content, digest, state, code, note)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14, $15, $16)
		on conflict (institution_id, id) do nothing`,
		institution, a.ID, a.Place, a.Kind, a.Subject, a.Organization, a.Version, a.Channel, a.By, a.Made.UnixMicro(), tx.Now.UnixMicro(),
		append([]byte{}, a.content...), append([]byte{}, a.digest...), a.State, a.Code, a.Note)
	if err != nil {
		return 0, fmt.Errorf("store the event %s: %w", a.ID, err)
	}
	return n, nil
}

const selectArrival = `
	select id, place, kind, subject, organization_ref, version, channel, made_by, made_micros, arrived_micros, content, digest, state, code, note
	  from host_arrival`

func scanArrival(s db.Scanner) (a arrival, err error) {
	var made, arrived int64
	err = s.Scan(&a.ID, &a.Place, &a.Kind, &a.Subject, &a.Organization, &a.Version, &a.Channel, &a.By, &made, &arrived, &a.content, &a.digest, &a.State, &a.Code, &a.Note)
	a.Made, a.Arrived = time.UnixMicro(made).UTC(), time.UnixMicro(arrived).UTC()
	return a, err
}

// settle stores what became of an arrival. What is over keeps no content.
func (a *arrival) settle(tx *db.Tx, institution bank.InstitutionID, state arrivalState, code, note string) error {
	content := a.content
	if state == done || state == old {
		content = nil
	}
	_, err := tx.Exec(`
		update host_arrival set state = $1, code = $2, note = $3, settled_micros = $4, content = $5 where institution_id = $6 and id = $7`,
		state, code, note, tx.Now.UnixMicro(), append([]byte{}, content...), institution, a.ID)
	if err != nil {
		return fmt.Errorf("settle the event %s: %w", a.ID, err)
	}
	return nil
}

// supersede ends what is parked about a user for a version that has been passed.
func supersede(tx *db.Tx, institution bank.InstitutionID, subject host.Ref, version int64) error {
	_, err := tx.Exec(`
		update host_arrival set state = 'old', settled_micros = $1, content = $2
		 where institution_id = $3 and subject = $4 and state = 'parked' and kind = '4 user' and version < $5 and code <> '`+codeContradictory+`'`,
		tx.Now.UnixMicro(), []byte{}, institution, subject, version)
	return err
}

// heal looks again at what is parked about an organization for a reason that may
// be gone now.
func heal(tx *db.Tx, institution bank.InstitutionID, organization host.Ref) error {
	_, err := tx.Exec(`
		update host_arrival set state = 'waiting' where institution_id = $1 and organization_ref = $2 and state = 'parked' and code in (`+healing+`)`,
		institution, organization)
	return err
}

// markOf is how far an institution's events were read.
func markOf(tx *db.Tx, institution bank.InstitutionID) (string, error) {
	mark, err := db.One(tx, db.Value[string], `select mark from host_feed where institution_id = $1`, institution)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return mark, err
}

// setMark stores how far the events were read, and counts how many have come in
// all.
func setMark(tx *db.Tx, institution bank.InstitutionID, mark string, more int64) error {
	_, err := tx.Exec(`
		insert into host_feed (institution_id, mark, told, read_micros) values ($1, $2, $3, $4)
		on conflict (institution_id) do update set mark = excluded.mark, told = host_feed.told + excluded.told, read_micros = excluded.read_micros`,
		institution, mark, more, tx.Now.UnixMicro())
	return err
}

// toldSoFar is how many events have come in all; the next one's place follows.
func toldSoFar(tx *db.Tx, institution bank.InstitutionID) (int64, error) {
	n, err := db.One(tx, db.Value[int64], `select told from host_feed where institution_id = $1`, institution)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func digest(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}
