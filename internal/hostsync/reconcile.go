package hostsync

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// A Reconciliation is what comparing the people of both sides found.
type Reconciliation struct {
	At        time.Time
	Ours      int64 // members here
	Theirs    int64 // users of the host
	Differ    int64 // people of whom something is not the same
	OnlyHere  int64
	OnlyThere int64
	Moving    int64  // not the same now, with an order or an event about them on its way
	Report    string // the file with every difference
}

// A Difference is what a comparison found about one person.
type Difference struct {
	Organization host.Ref
	Ref          host.Ref
	User         bank.UserID // empty: not here
	Name         string
	Kind         string // "differs", "only here", "only at the host"
	Fields       []FieldDifference
}

// A FieldDifference is one value that is not the same.
type FieldDifference struct{ Field, Here, There string }

// Kinds of differences, as the report names them.
const (
	kindDiffers   = "differs"
	kindOnlyHere  = "only here"
	kindOnlyThere = "only at the host"
)

const eventReconciled = "institution.host_reconciled"

// Reconcile compares all people of an institution with the host's, page by page
// in the order of how the host names them, and writes every difference to out.
// Whoever differs is looked at once more on both sides, so that what moves
// meanwhile is no difference. It changes nothing but what is known of the
// comparison itself; report is what the file is called.
func (s *Service) Reconcile(ctx context.Context, caller bank.Caller, out io.Writer, report string) (sum Reconciliation, err error) {
	if !s.Serves() {
		return sum, fault.New(fault.Unavailable, "The host knows no people, so there is nothing to compare.")
	}
	var edition bank.Edition
	err = s.guard.Look(ctx, caller, tending(caller.Institution, eventReconciled), func(v *guard.View) error {
		i, _, err := usermgmt.FindInstitution(v.Tx, caller.Institution)
		edition = i.Edition
		return err
	})
	if err != nil {
		return sum, err
	}
	c := comparison{s: s, ctx: ctx, institution: caller.Institution, edition: edition, file: csv.NewWriter(out)}
	if err := c.run(); err != nil {
		return sum, err
	}
	sum = c.sum
	sum.Report = report
	err = s.guard.Do(ctx, caller, tending(caller.Institution, eventReconciled), func(g *guard.Change) error {
		sum.At = g.Tx.Now
		g.RecordQuiet(eventReconciled, tending(caller.Institution, eventReconciled).Target, sum.String())
		return sum.store(g.Tx, caller.Institution)
	})
	return sum, err
}

// String is the comparison in a sentence.
func (r Reconciliation) String() string {
	return fmt.Sprintf("%d people here, %d at the host: %d differ, %d are only here, %d only at the host, %d are on the move.",
		r.Ours, r.Theirs, r.Differ, r.OnlyHere, r.OnlyThere, r.Moving)
}

func (r *Reconciliation) store(tx *db.Tx, institution bank.InstitutionID) error {
	_, err := tx.Exec(`
		insert into host_reconciliation (institution_id, at_micros, ours, theirs, differ, only_here, only_there, moving, report)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (institution_id) do update
		   set at_micros = excluded.at_micros, ours = excluded.ours, theirs = excluded.theirs, differ = excluded.differ,
		       only_here = excluded.only_here, only_there = excluded.only_there, moving = excluded.moving, report = excluded.report`,
		institution, r.At.UnixMicro(), r.Ours, r.Theirs, r.Differ, r.OnlyHere, r.OnlyThere, r.Moving, r.Report)
	if err != nil {
		return fmt.Errorf("store the comparison: %w", err)
	}
	return nil
}

func lastReconciliation(tx *db.Tx, institution bank.InstitutionID) (*Reconciliation, error) {
	r, err := db.One(tx, func(s db.Scanner) (r Reconciliation, err error) {
		var at int64
		err = s.Scan(&at, &r.Ours, &r.Theirs, &r.Differ, &r.OnlyHere, &r.OnlyThere, &r.Moving, &r.Report)
		r.At = moment(at)
		return r, err
	}, `select at_micros, ours, theirs, differ, only_here, only_there, moving, report from host_reconciliation where institution_id = $1`, institution)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last comparison: %w", err)
	}
	return &r, nil
}

// A comparison walks both sides in the order of the host's names. It holds one
// page of each.
type comparison struct {
	s           *Service
	ctx         context.Context
	institution bank.InstitutionID
	edition     bank.Edition
	file        *csv.Writer
	sum         Reconciliation

	ours, theirs       []host.User
	ourLast, theirLast host.Ref
	ourPlace           usermgmt.MemberPlace
	ourEnd, theirEnd   bool
}

func (c *comparison) run() error {
	if err := c.file.Write([]string{"organization", "user at the host", "user here", "name", "what", "field", "here", "at the host"}); err != nil {
		return err
	}
	for {
		if err := c.fill(); err != nil {
			return err
		}
		var err error
		switch {
		case len(c.ours) == 0 && len(c.theirs) == 0:
			c.file.Flush()
			return c.file.Error()
		case len(c.theirs) == 0 || len(c.ours) > 0 && before(c.ours[0], c.theirs[0]):
			err = c.difference(&c.ours[0], nil)
			c.ours = c.ours[1:]
		case len(c.ours) == 0 || before(c.theirs[0], c.ours[0]):
			err = c.difference(nil, &c.theirs[0])
			c.theirs = c.theirs[1:]
		default:
			err = c.difference(&c.ours[0], &c.theirs[0])
			c.ours, c.theirs = c.ours[1:], c.theirs[1:]
		}
		if err != nil {
			return err
		}
	}
}

// before orders users by the host's name of them, and where two organizations
// number theirs alike, by organization.
func before(a, b host.User) bool {
	return a.Ref < b.Ref || a.Ref == b.Ref && a.Organization < b.Organization
}

// fill reads the next page of a side that has been walked through.
func (c *comparison) fill() (err error) {
	if len(c.theirs) == 0 && !c.theirEnd {
		asking, cancel := context.WithTimeout(c.ctx, readTime)
		defer cancel()
		if c.theirs, err = c.s.desk.People().Users(asking, c.institution, c.theirLast, pageSize); err != nil {
			return fmt.Errorf("read the host's users: %w", err)
		}
		if c.theirEnd = len(c.theirs) == 0; !c.theirEnd {
			if !slices.IsSortedFunc(c.theirs, func(a, b host.User) int { return strings.Compare(string(a.Ref), string(b.Ref)) }) || c.theirs[0].Ref <= c.theirLast {
				return fmt.Errorf("the host's users after %q do not come in order", c.theirLast)
			}
			c.theirLast = c.theirs[len(c.theirs)-1].Ref
			c.sum.Theirs += int64(len(c.theirs))
		}
	}
	if len(c.ours) > 0 || c.ourEnd {
		return nil
	}
	return c.s.db.Read(c.ctx, func(tx *db.Tx) error {
		page, err := usermgmt.MembersByExternalID(tx, c.institution, c.ourPlace, pageSize)
		if c.ourEnd = err == nil && len(page) == 0; c.ourEnd || err != nil {
			return err
		}
		for i := range page {
			u := stated(c.edition, &page[i])
			u.Ref = host.Ref(page[i].Member.ExternalID) // our own id where the host has none yet
			c.ours = append(c.ours, u)
		}
		last := &page[len(page)-1]
		c.ourPlace = usermgmt.MemberPlace{ExternalID: last.Member.ExternalID, Organization: last.Organization.ExternalID}
		c.sum.Ours += int64(len(page))
		return nil
	})
}

// difference compares one person. What differs is looked at again: both sides go
// on while they are compared.
func (c *comparison) difference(ours, theirs *host.User) error {
	d := compared(ours, theirs)
	if d == nil {
		return nil
	}
	moving, err := c.again(d, &ours, &theirs)
	if err != nil {
		return err
	}
	if moving {
		c.sum.Moving++
		return nil
	}
	if d = compared(ours, theirs); d == nil {
		return nil
	}
	switch d.Kind {
	case kindOnlyHere:
		c.sum.OnlyHere++
	case kindOnlyThere:
		c.sum.OnlyThere++
	default:
		c.sum.Differ++
	}
	return c.write(d)
}

// again reads a person of both sides anew, and whether something about them is
// on its way.
func (c *comparison) again(d *Difference, ours, theirs **host.User) (moving bool, err error) {
	now, err := c.s.desk.People().User(c.ctx, c.institution, d.Ref)
	switch {
	case errors.Is(err, host.ErrNoUser) || err == nil && now.Deleted:
		*theirs = nil
	case err != nil:
		return false, fmt.Errorf("ask the host for %s: %w", d.Ref, err)
	default:
		*theirs = &now
	}
	err = c.s.db.Read(c.ctx, func(tx *db.Tx) error {
		o, err := usermgmt.OrganizationOf(tx, c.institution, string(d.Organization))
		if errors.Is(err, usermgmt.ErrNoOrganization) {
			*ours = nil
			return nil
		}
		if err != nil {
			return err
		}
		if moving, err = onTheMove(tx, c.institution, d); err != nil {
			return err
		}
		m, err := usermgmt.MemberOf(tx, o, string(d.Ref))
		if errors.Is(err, usermgmt.ErrNoMember) {
			*ours = nil
			return nil
		}
		if err != nil {
			return err
		}
		profile, err := usermgmt.FindProfile(tx, c.institution, usermgmt.Person{Organization: o.ID, User: m.ID})
		u := stated(c.edition, &profile)
		u.Ref = d.Ref
		*ours = &u
		return err
	})
	return moving, err
}

// onTheMove reports whether an order or an event about somebody is on its way.
func onTheMove(tx *db.Tx, institution bank.InstitutionID, d *Difference) (bool, error) {
	l, known, err := linkTo(tx, institution, d.Ref)
	if err == nil && !known && d.User != "" {
		l, err = linkOf(tx, institution, d.User)
	}
	if err != nil {
		return false, err
	}
	if busy, err := l.onItsWay(tx, institution); err != nil || busy {
		return busy, err
	}
	waits, err := db.One(tx, db.Value[int64], `
		select count(*) from host_arrival where institution_id = $1 and subject = $2 and state = 'waiting'`, institution, d.Ref)
	if err != nil {
		return false, fmt.Errorf("look for events about %s: %w", d.Ref, err)
	}
	return waits > 0, nil
}

// compared is what is not the same; nil where all is.
func compared(ours, theirs *host.User) *Difference {
	switch {
	case ours == nil && theirs == nil:
		return nil
	case ours == nil:
		return &Difference{Organization: theirs.Organization, Ref: theirs.Ref, Name: nameOf(theirs), Kind: kindOnlyThere}
	case theirs == nil:
		return &Difference{Organization: ours.Organization, Ref: ours.Ref, User: ours.Member, Name: nameOf(ours), Kind: kindOnlyHere}
	}
	d := &Difference{Organization: ours.Organization, Ref: ours.Ref, User: ours.Member, Name: nameOf(ours), Kind: kindDiffers}
	add := func(field, here, there string) {
		if here != there {
			d.Fields = append(d.Fields, FieldDifference{field, here, there})
		}
	}
	add("organization", string(ours.Organization), string(theirs.Organization))
	add(fieldName, nameOf(ours), nameOf(theirs))
	add(fieldEmail, ours.Email, theirs.Email)
	if ours.Username != "" && theirs.Username != "" {
		add(fieldUsername, ours.Username, theirs.Username)
	}
	add(fieldRole, ours.Role.String(), theirs.Role.String())
	add(fieldStatus, ours.Status.String(), theirs.Status.String())
	add(fieldHeld, strconv.FormatBool(ours.Held), strconv.FormatBool(theirs.Held))
	values("", ours.Permissions, theirs.Permissions, add)
	for _, ref := range keysOf(ours.Accounts, theirs.Accounts) {
		here, isHere := ours.Accounts[ref]
		there, isThere := theirs.Accounts[ref]
		add(fieldAccount+string(ref), strconv.FormatBool(isHere), strconv.FormatBool(isThere))
		if isHere && isThere {
			values(fieldAccount+string(ref)+"/", here, there, add)
		}
	}
	if len(d.Fields) == 0 {
		return nil
	}
	return d
}

func nameOf(u *host.User) string {
	return (&usermgmt.Member{FirstName: u.FirstName, LastName: u.LastName}).Name()
}

// values compares permissions as they are written. That an account is open goes
// without saying, and no limit is the same as none.
func values(prefix string, ours, theirs map[string]string, add func(field, here, there string)) {
	for _, id := range keysOf(ours, theirs) {
		if id == catalog.AccountAccess.ID() {
			continue
		}
		here, there := ours[id], theirs[id]
		if prefix == "" {
			here, there = plain(here), plain(there)
		}
		add(prefix+id, here, there)
	}
}

// plain is a value as it counts at user level.
func plain(value string) string {
	if value == "false" || value == "none" || value == "0.00" {
		return ""
	}
	return value
}

func keysOf[K ~string, V any](a, b map[K]V) []K {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (c *comparison) write(d *Difference) error {
	head := []string{string(d.Organization), string(d.Ref), string(d.User), d.Name, d.Kind}
	if len(d.Fields) == 0 {
		return c.file.Write(bank.HarmlessCells(append(head, "", "", "")))
	}
	for _, f := range d.Fields {
		if err := c.file.Write(bank.HarmlessCells(append(slices.Clone(head), f.Field, f.Here, f.There))); err != nil {
			return err
		}
	}
	return nil
}
