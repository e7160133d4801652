package identity

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Purpose is what a link is for.
type Purpose string

const (
	PurposeInvitation Purpose = "invitation"
	PurposeReset      Purpose = "password-reset"
)

const (
	invitationLifetime = 7 * 24 * time.Hour
	resetLifetime      = 30 * time.Minute
	redeemedLifetime   = 30 * time.Minute // to finish in the browser that redeemed
	maxLinksPerDay     = 20               // of one person and purpose
)

// A LinkState is how far a link has come.
type LinkState string

const (
	LinkQueued    LinkState = "queued"   // waits to be mailed
	LinkAccepted  LinkState = "accepted" // the mail server has taken it
	LinkRefused   LinkState = "refused"  // the mail server will not take it: nobody has it
	LinkRedeemed  LinkState = "redeemed" // its button was pressed
	LinkCompleted LinkState = "completed"
	LinkExpired   LinkState = "expired"
	LinkReplaced  LinkState = "replaced" // by a newer one
	LinkCancelled LinkState = "cancelled"
)

// A Link is one invitation or password reset. Its token is in the mail and
// nowhere else.
type Link struct {
	Subject     Subject
	Purpose     Purpose
	Version     int64
	State       LinkState // at the moment of asking
	Email       string    // where it was sent
	AskedBy     string    // the name of whoever sent it
	Issued      time.Time
	Expires     time.Time
	Redeemed    time.Time // zero where it was not
	BrowserEnds time.Time // until when the browser that redeemed it may finish
	mailKey     string
}

const linkColumns = `subject_kind, subject_id, purpose, version, email, asked_by, mail_key, issued_micros, expires_micros, mailed_micros,
	redeemed_micros, completed_micros, cancelled_micros, replaced_micros, refused_micros, browser_ends_micros`

func scanLink(institution bank.InstitutionID, now time.Time) func(db.Scanner) (Link, error) {
	return func(row db.Scanner) (l Link, err error) {
		var issued, expires, mailed, redeemed, completed, cancelled, replaced, refused, ends int64
		err = row.Scan(&l.Subject.Kind, &l.Subject.ID, &l.Purpose, &l.Version, &l.Email, &l.AskedBy, &l.mailKey,
			&issued, &expires, &mailed, &redeemed, &completed, &cancelled, &replaced, &refused, &ends)
		l.Subject.Institution = institution
		l.Issued, l.Expires = time.UnixMicro(issued).UTC(), time.UnixMicro(expires).UTC()
		if redeemed != 0 {
			l.Redeemed, l.BrowserEnds = time.UnixMicro(redeemed).UTC(), time.UnixMicro(ends).UTC()
		}
		switch {
		case completed != 0:
			l.State = LinkCompleted
		case refused != 0:
			l.State = LinkRefused
		case cancelled != 0:
			l.State = LinkCancelled
		case replaced != 0:
			l.State = LinkReplaced
		case redeemed != 0:
			l.State = LinkRedeemed
		case !now.Before(l.Expires):
			l.State = LinkExpired
		case mailed != 0:
			l.State = LinkAccepted
		default:
			l.State = LinkQueued
		}
		return l, err
	}
}

// Fresh says whether the link can still be redeemed.
func (l *Link) Fresh() bool { return l.State == LinkQueued || l.State == LinkAccepted }

// Newest returns the newest link of a subject for a purpose; there may be none.
func Newest(tx *db.Tx, who Subject, purpose Purpose) (Link, bool, error) {
	l, err := scanLink(who.Institution, tx.Now)(tx.QueryRow(`
		select `+linkColumns+` from link
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and purpose = $4
		 order by version desc limit 1`, who.Institution, who.Kind, who.ID, purpose))
	if errors.Is(err, db.ErrNoRows) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("find the newest link: %w", err)
	}
	return l, true, nil
}

// Links are the links of a subject for a purpose, the newest first.
func Links(tx *db.Tx, who Subject, purpose Purpose, most int) ([]Link, error) {
	all, err := db.All(tx, scanLink(who.Institution, tx.Now), `
		select `+linkColumns+` from link
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and purpose = $4
		 order by version desc limit $5`, who.Institution, who.Kind, who.ID, purpose, most)
	if err != nil {
		return nil, fmt.Errorf("list the links: %w", err)
	}
	return all, nil
}

// CancelLinks makes every open link of a subject useless: invitations and
// resets, also those that are being used. It says whether there was one.
func (s *Service) CancelLinks(tx *db.Tx, who Subject) (bool, error) {
	invitation, err := s.endLinks(tx, who, PurposeInvitation, LinkCancelled)
	if err != nil {
		return false, err
	}
	reset, err := s.endLinks(tx, who, PurposeReset, LinkCancelled)
	return invitation || reset, err
}

// CancelInvitation makes the open invitation of a subject useless. It says
// whether there was one.
func (s *Service) CancelInvitation(tx *db.Tx, who Subject) (bool, error) {
	return s.endLinks(tx, who, PurposeInvitation, LinkCancelled)
}

// endLinks ends the links that could still be used, and takes back their mail.
// One that has expired is replaced as well: its page can then say that there is
// a newer one.
func (s *Service) endLinks(tx *db.Tx, who Subject, purpose Purpose, as LinkState) (bool, error) {
	var cancelled, replaced int64
	usable := tx.Now.UnixMicro()
	if as == LinkReplaced {
		replaced, usable = tx.Now.UnixMicro(), 0
	} else {
		cancelled = tx.Now.UnixMicro()
	}
	keys, err := db.All(tx, db.Value[string], `
		update link set cancelled_micros = $1, replaced_micros = $2
		 where institution_id = $3 and subject_kind = $4 and subject_id = $5 and purpose = $6
		   and completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0
		   and (expires_micros > $7 or browser_ends_micros > $7)
		returning mail_key`, cancelled, replaced, who.Institution, who.Kind, who.ID, purpose, usable)
	if err != nil {
		return false, fmt.Errorf("end the links: %w", err)
	}
	for _, key := range keys {
		if err := s.mailer.Cancel(tx, who.Institution, key); err != nil {
			return false, fmt.Errorf("take back the mail: %w", err)
		}
	}
	return len(keys) > 0, nil
}

// issue makes the newest link of a person and queues its mail.
func (s *Service) issue(tx *db.Tx, p *Person, purpose Purpose, askedBy string, selfService bool) (Link, error) {
	if p.Email == "" {
		return Link{}, fault.New(fault.Conflict, "There is no email address to send the link to. Add one first.").With("NO_EMAIL")
	}
	if err := roomForLink(tx, p.Subject, purpose); err != nil {
		return Link{}, err
	}
	if _, err := s.endLinks(tx, p.Subject, purpose, LinkReplaced); err != nil {
		return Link{}, err
	}
	newest, _, err := Newest(tx, p.Subject, purpose)
	if err != nil {
		return Link{}, err
	}
	lifetime := invitationLifetime
	if purpose == PurposeReset {
		lifetime = resetLifetime
	}
	l := Link{Subject: p.Subject, Purpose: purpose, Version: newest.Version + 1, State: LinkQueued, Email: p.Email, AskedBy: askedBy,
		Issued: tx.Now, Expires: tx.Now.Add(lifetime), mailKey: bank.NewID(string(purpose), tx.Now)}
	token := newToken()
	if err := insertLink(tx, l, digest(string(purpose), token), selfService); err != nil {
		return Link{}, err
	}
	return l, s.mailer.Queue(tx, linkMail(p, l, token))
}

func insertLink(tx *db.Tx, l Link, tokenHash []byte, selfService bool) error {
	_, err := tx.Exec(`
		insert into link (institution_id, subject_kind, subject_id, purpose, version, token_hash, email, asked_by, mail_key, self_service,
			issued_micros, expires_micros, mailed_micros, redeemed_micros, completed_micros, cancelled_micros, replaced_micros, browser_hash, browser_ends_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, 0, 0, $13, 0)`,
		l.Subject.Institution, l.Subject.Kind, l.Subject.ID, l.Purpose, l.Version, tokenHash, l.Email, l.AskedBy, l.mailKey, selfService,
		l.Issued.UnixMicro(), l.Expires.UnixMicro(), []byte{})
	if err != nil {
		return fmt.Errorf("store the link: %w", err)
	}
	return nil
}

func roomForLink(tx *db.Tx, who Subject, purpose Purpose) error {
	n, err := countLinks(tx, who, purpose, tx.Now.Add(-24*time.Hour), false)
	if err != nil {
		return err
	}
	if n >= maxLinksPerDay {
		return fault.Newf(fault.TooMany, "%d links were sent to this person today. Try again tomorrow.", maxLinksPerDay).With("TOO_MANY_LINKS")
	}
	return nil
}

func countLinks(tx *db.Tx, who Subject, purpose Purpose, since time.Time, selfServiceOnly bool) (n int, err error) {
	err = tx.QueryRow(`
		select count(*) from link
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and purpose = $4 and issued_micros > $5 and (self_service or not $6)`,
		who.Institution, who.Kind, who.ID, purpose, since.UnixMicro(), selfServiceOnly).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the links: %w", err)
	}
	return n, nil
}

func linkMail(p *Person, l Link, token Secret) Mail {
	m := Mail{
		Key: l.mailKey, Kind: p.Subject.Kind, Institution: p.Subject.Institution, Organization: p.Organization,
		To: l.Email, Name: p.Name(), From: p.InstitutionName, Expires: l.Expires,
		Link: Secret("/" + string(p.Subject.Institution) + "/" + string(l.Purpose) + "/" + string(token)),
	}
	of := cmp.Or(p.OrganizationName, p.InstitutionName)
	if l.Purpose == PurposeInvitation && p.Subject.Kind == KindStaff {
		m.Purpose, m.Button = p.event("invited"), "Join"
		m.Subject = "Join the staff of " + p.InstitutionName
		m.Lines = []string{
			l.AskedBy + " invited you to the console of " + p.InstitutionName + ". You sign in with this email address.",
			"Choose Join to choose a password. The invitation can be used once and ends after seven days. If a newer one arrives, use that.",
		}
		return m
	}
	if l.Purpose == PurposeInvitation {
		m.Purpose, m.Button = p.event("invited"), "Join"
		m.Subject = l.AskedBy + " invited you to join " + of
		m.Lines = []string{
			l.AskedBy + " invited you to use online banking for " + of + " at " + p.InstitutionName + ".",
			"Choose Join to create your username and password. The invitation can be used once and ends after seven days. If a newer one arrives, use that.",
		}
		return m
	}
	m.Purpose, m.Button = p.event("password_reset_sent"), "Reset password"
	m.Subject = "Reset your password for " + p.InstitutionName
	m.Lines = []string{
		"A new password was asked for your sign-in at " + of + ".",
		"The link can be used once and ends after 30 minutes. If you did not ask for it, you need not do anything: your password stays as it is.",
	}
	return m
}

// StillWanted says whether a mail should go out: the mail of a link that has
// been replaced or cancelled, has expired or went with the person should not.
func StillWanted(tx *db.Tx, m Mail) (bool, error) {
	if m.Link == "" {
		return true, nil
	}
	l, err := linkOfMail(tx, m.Institution, m.Key)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil && l.Fresh(), err
}

// MailAccepted notes that the mail server has taken a mail, for the state of
// the link in it.
func (s *Service) MailAccepted(tx *db.Tx, institution bank.InstitutionID, mailKey string) error {
	l, err := linkOfMail(tx, institution, mailKey)
	if errors.Is(err, db.ErrNoRows) || err == nil && l.State != LinkQueued {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`update link set mailed_micros = $1 where institution_id = $2 and mail_key = $3`,
		tx.Now.UnixMicro(), institution, mailKey); err != nil {
		return fmt.Errorf("note that the mail was accepted: %w", err)
	}
	return s.noteLink(tx, l, "invite_delivered", "")
}

// MailRefused notes that the mail server will not take a mail, and why: the link
// in it has reached nobody.
func (s *Service) MailRefused(tx *db.Tx, institution bank.InstitutionID, mailKey, why string) error {
	l, err := linkOfMail(tx, institution, mailKey)
	if errors.Is(err, db.ErrNoRows) || err == nil && l.State != LinkQueued {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`update link set refused_micros = $1 where institution_id = $2 and mail_key = $3`,
		tx.Now.UnixMicro(), institution, mailKey); err != nil {
		return fmt.Errorf("note that the mail was refused: %w", err)
	}
	return s.noteLink(tx, l, "invite_failed", why)
}

// noteLink records what became of an invitation by itself.
func (s *Service) noteLink(tx *db.Tx, l Link, event, why string, changes ...activity.Change) error {
	p, err := s.people.Find(tx, l.Subject)
	if errors.Is(err, ErrNoPerson) || err == nil && l.Purpose != PurposeInvitation {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the person: %w", err)
	}
	stream, err := activity.Lock(tx, l.Subject.Institution, p.Organization)
	if err != nil {
		return err
	}
	system := bank.System(l.Subject.Institution)
	return stream.Append(bank.NewID(bank.PrefixSave, tx.Now), activity.Event{
		Name: p.event(event), Quiet: true, Note: why, Target: p.target(), Channel: system.Channel, Changes: changes,
		Actor: activity.Actor{Kind: system.Kind, Name: system.Name},
	})
}

func linkOfMail(tx *db.Tx, institution bank.InstitutionID, mailKey string) (Link, error) {
	return scanLink(institution, tx.Now)(tx.QueryRow(`select `+linkColumns+` from link where institution_id = $1 and mail_key = $2`, institution, mailKey))
}
