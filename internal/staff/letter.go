package staff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/outbox"
)

// Letters keeps what is mailed to staff users, on its way to whoever mails it.
// A link is not kept: it is in the mail and nowhere else.
type Letters struct{ identity.Mailer }

// Queue keeps a letter to a staff user, and queues any mail.
func (l Letters) Queue(tx *db.Tx, m identity.Mail) error {
	if m.Kind == identity.KindStaff {
		if err := keepLetter(tx, m); err != nil {
			return err
		}
	}
	return l.Mailer.Queue(tx, m)
}

func keepLetter(tx *db.Tx, m identity.Mail) error {
	u, found, err := userByEmail(tx, m.Institution, m.To)
	if err != nil || !found {
		return err
	}
	hadLink := 0
	if m.Link != "" {
		hadLink = 1
	}
	_, err = tx.Exec(`
		insert into staff_letter (institution_id, id, mail_key, staff_id, subject, lines, had_link, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (institution_id, mail_key) do nothing`,
		m.Institution, bank.NewID("let", tx.Now), m.Key, u.ID, m.Subject, strings.Join(m.Lines, "\n"), hadLink, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the letter: %w", err)
	}
	return nil
}

// A Letter is something that was mailed to a staff user.
type Letter struct {
	ID      string
	Subject string
	Lines   []string
	Link    bool // there was a link in it, which is not kept
	Written time.Time
	Fate    outbox.State // how far its mail has come

	key string
}

// maxLetters is how many of somebody's letters one page shows.
const maxLetters = 25

const selectLetter = `select id, mail_key, subject, lines, had_link, created_micros from staff_letter`

func scanLetter(row db.Scanner) (l Letter, err error) {
	var lines string
	var link, written int64
	err = row.Scan(&l.ID, &l.key, &l.Subject, &lines, &link, &written)
	l.Lines, l.Link, l.Written = strings.Split(lines, "\n"), link != 0, time.UnixMicro(written).UTC()
	return l, err
}

// Letters lists what was mailed to a user, the latest first. before is the id
// of the last letter of the page before; empty: the first page. more says that
// there are older ones.
func (s *Service) Letters(ctx context.Context, caller bank.Caller, id bank.StaffID, before string) (letters []Letter, more bool, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffUsersView, userTarget(id, "")), func(v *guard.View) error {
		letters, err = db.All(v.Tx, scanLetter, selectLetter+`
			 where institution_id = $1 and staff_id = $2 and ($3 = '' or id < $3) order by id desc limit $4`, caller.Institution, id, before, maxLetters+1)
		if err != nil {
			return fmt.Errorf("list the letters: %w", err)
		}
		if more = len(letters) > maxLetters; more {
			letters = letters[:maxLetters]
		}
		for i := range letters {
			if letters[i].Fate, err = outbox.Fate(v.Tx, caller.Institution, outbox.Mail, letters[i].key); err != nil {
				return err
			}
		}
		return nil
	})
	return letters, more, err
}

// Letter reads one.
func (s *Service) Letter(ctx context.Context, caller bank.Caller, user bank.StaffID, id string) (l Letter, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffUsersView, userTarget(user, "")), func(v *guard.View) error {
		l, err = db.One(v.Tx, scanLetter, selectLetter+` where institution_id = $1 and staff_id = $2 and id = $3`, caller.Institution, user, id)
		if errors.Is(err, db.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such message.")
		}
		if err != nil {
			return fmt.Errorf("read the letter: %w", err)
		}
		l.Fate, err = outbox.Fate(v.Tx, caller.Institution, outbox.Mail, l.key)
		return err
	})
	return l, err
}
