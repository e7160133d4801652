package client

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Named limits.
const (
	MaxRate         = 1_000_000 // decisions a second that a client may be given
	MaxCertificates = 20        // of one client
	maxCertificate  = 300       // bytes of one, as it is registered
)

// Access is how a client proves itself beside its keys, what it can carry out,
// and how much it may ask. The zero Access is that of a client with keys alone.
type Access struct {
	Application  bank.ApplicationID // whose tokens are taken for the client's; empty: none's
	Certificates []string           // that prove it, each as ReadCertificate has it
	Capabilities []Capability       // in the order of Capabilities
	Rate         int64              // decisions a second in the long run; 0: as many as usual
}

// A Capability is something that a client says it can carry out, by its stable
// name. What the answers hold for it is in no other client's answers.
type Capability string

// The capabilities.
const (
	// AccessRequests: it can ask for the second person that a decision lacks.
	AccessRequests Capability = "access_request"

	// StepUp: it asks people for a high-risk authorization where a decision
	// obliges it to, and denies where it cannot.
	StepUp Capability = "step_up"
)

// Capabilities are all capabilities.
func Capabilities() []Capability { return []Capability{AccessRequests, StepUp} }

// Can reports whether the client has said that it can carry something out.
func (a *Access) Can(c Capability) bool { return slices.Contains(a.Capabilities, c) }

// read checks the access and adds its problems to the others.
func (a Access) read(problems *fault.Problems) Access {
	now := Access{Application: a.Application, Rate: a.Rate}
	for _, c := range a.Capabilities {
		if !slices.Contains(Capabilities(), c) {
			problems.Addf("capabilities", "%q is not a capability: write %s.", c, listed(Capabilities()))
		}
	}
	for _, c := range Capabilities() {
		if a.Can(c) {
			now.Capabilities = append(now.Capabilities, c)
		}
	}
	if a.Rate < 0 || a.Rate > MaxRate {
		problems.Addf("rate", "Write how many decisions a second it may ask, from 1 to %d, or 0 for as many as usual.", MaxRate)
	}
	if len(a.Application) > 200 || !bank.Printable(string(a.Application)) {
		problems.Add("application", "Write the id of an external application.")
	}
	if len(a.Certificates) > MaxCertificates {
		problems.Addf("certificates", "These are %d certificates. The most is %d.", len(a.Certificates), MaxCertificates)
	}
	for _, text := range a.Certificates {
		certificate, ok := ReadCertificate(text)
		if !ok {
			problems.Addf("certificates", "%.80q is not a certificate: write sha256:… with the 64 digits of the public key's SHA-256, dns:…, uri:… or subject:….", text)
			continue
		}
		if !slices.Contains(now.Certificates, certificate) {
			now.Certificates = append(now.Certificates, certificate)
		}
	}
	slices.Sort(now.Certificates)
	return now
}

func listed(all []Capability) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = string(c)
	}
	return strings.Join(names, " or ")
}

// ReadCertificate reads how a certificate is known: by "sha256:" and the SHA-256
// of its public key in hexadecimal, or by a name that it carries, after "dns:",
// "uri:" or "subject:".
func ReadCertificate(text string) (string, bool) {
	text = strings.TrimSpace(text)
	kind, value, _ := strings.Cut(text, ":")
	if value == "" || len(text) > maxCertificate || !bank.Printable(text) {
		return "", false
	}
	switch kind {
	case "sha256":
		value = strings.ToLower(strings.ReplaceAll(value, ":", ""))
		sum, err := hex.DecodeString(value)
		return "sha256:" + value, err == nil && len(sum) == sha256.Size
	case "dns":
		return "dns:" + strings.ToLower(value), true
	case "uri", "subject":
		return text, true
	}
	return "", false
}

// KeyOf is how a certificate is known by its public key.
func KeyOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// NamesOf are the names by which a certificate may be known. They are worth
// something only where a trusted authority vouches for them.
func NamesOf(c *x509.Certificate) (names []string) {
	for _, name := range c.DNSNames {
		names = append(names, "dns:"+strings.ToLower(name))
	}
	for _, u := range c.URIs {
		names = append(names, "uri:"+u.String())
	}
	if subject := c.Subject.String(); subject != "" {
		names = append(names, "subject:"+subject)
	}
	return names
}

// changes are what differs between two accesses, for the history.
func (a Access) changes(was Access) (all []activity.Change) {
	text := func(field, old, now string) {
		if old != now {
			all = append(all, activity.Change{Field: field, Old: old, New: now})
		}
	}
	text("application", string(was.Application), string(a.Application))
	text("certificates", strings.Join(was.Certificates, " "), strings.Join(a.Certificates, " "))
	text("capabilities", capabilitiesText(was.Capabilities), capabilitiesText(a.Capabilities))
	text("rate", rateText(was.Rate), rateText(a.Rate))
	return all
}

func rateText(rate int64) string {
	if rate == 0 {
		return ""
	}
	return strconv.FormatInt(rate, 10)
}

func capabilitiesText(all []Capability) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = string(c)
	}
	return strings.Join(names, " ")
}

// parseCapabilities reads the stored form. One that the program does not know
// gives nothing.
func parseCapabilities(text string) (all []Capability) {
	for name := range strings.FieldsSeq(text) {
		if c := Capability(name); slices.Contains(Capabilities(), c) {
			all = append(all, c)
		}
	}
	return all
}

// SetAccess changes how a client proves itself, what it can carry out and how
// much it may ask. Staff need a high-risk authorization.
func (s *Service) SetAccess(ctx context.Context, caller bank.Caller, id bank.ClientID, alter func(Access) Access) (c Client, err error) {
	err = s.change(ctx, caller, eventChanged, id, func(change *guard.Change, was Client) error {
		found := []Client{was}
		if err := withCertificates(change.Tx, caller.Institution, found); err != nil {
			return err
		}
		c = found[0]
		var problems fault.Problems
		now := alter(c.Access).read(&problems)
		if err := problems.Err("The application was not saved."); err != nil {
			return err
		}
		changes := now.changes(c.Access)
		c.Access = now
		if len(changes) == 0 {
			return nil
		}
		if err := change.RequireProof(now.content()); err != nil {
			return err
		}
		if err := updateAccess(change.Tx, c); err != nil {
			return err
		}
		change.RecordAs(eventChanged, c.target(), "", changes...)
		return nil
	})
	if err != nil {
		return Client{}, err
	}
	return c, nil
}

// content is what a high-risk authorization of the change covers.
func (a Access) content() []byte {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts and a number
	}
	return text
}

var (
	errApplicationTaken = taken("application", "The tokens of this application are another client's already. Choose another application, or none.")
	errCertificateTaken = taken("certificates", "One of the certificates proves another client already.")
)

func taken(field, sentence string) error {
	var problems fault.Problems
	problems.Add(field, sentence)
	return problems.Err("The application was not saved.")
}

func updateAccess(tx *db.Tx, c Client) error {
	_, err := tx.Exec(`update api_client set application_id = $1, capabilities = $2, rate = $3 where institution_id = $4 and id = $5`,
		c.Application, capabilitiesText(c.Capabilities), c.Rate, c.Institution, c.ID)
	if db.IsUnique(err, "api_client_application") {
		return errApplicationTaken
	}
	if err != nil {
		return fmt.Errorf("store the access of %s: %w", c.ID, err)
	}
	if err := deleteCertificates(tx, c); err != nil {
		return err
	}
	return insertCertificates(tx, c)
}

func insertCertificates(tx *db.Tx, c Client) error {
	for _, certificate := range c.Certificates {
		n, err := tx.Exec(`
			insert into api_certificate (certificate, institution_id, client_id, created_micros) values ($1, $2, $3, $4)
			on conflict (certificate) do nothing`, certificate, c.Institution, c.ID, tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("store a certificate of %s: %w", c.ID, err)
		}
		if n == 0 {
			return errCertificateTaken
		}
	}
	return nil
}

func deleteCertificates(tx *db.Tx, c Client) error {
	_, err := tx.Exec(`delete from api_certificate where institution_id = $1 and client_id = $2`, c.Institution, c.ID)
	if err != nil {
		return fmt.Errorf("forget the certificates of %s: %w", c.ID, err)
	}
	return nil
}

// withCertificates fills in the certificates of an institution's clients.
func withCertificates(tx *db.Tx, institution bank.InstitutionID, clients []Client) error {
	all, err := db.All(tx, scanCertificate, `select certificate, institution_id, client_id from api_certificate where institution_id = $1 order by certificate`, institution)
	if err != nil {
		return fmt.Errorf("read the certificates: %w", err)
	}
	for _, one := range all {
		for i := range clients {
			if clients[i].ID == one.client {
				clients[i].Certificates = append(clients[i].Certificates, one.certificate)
			}
		}
	}
	return nil
}

type certified struct {
	certificate string
	institution bank.InstitutionID
	client      bank.ClientID
}

func scanCertificate(s db.Scanner) (c certified, err error) {
	err = s.Scan(&c.certificate, &c.institution, &c.client)
	return c, err
}
