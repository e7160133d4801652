package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// wantAgain is how long somebody waits who has asked for a new invitation,
// before asking is recorded again.
const wantAgain = 24 * time.Hour

// Wanting says whether somebody whose link failed can ask for a new one: it was
// theirs, they never finished, and no newer one was sent.
func (l *Link) Wanting() bool {
	return l.Purpose == PurposeInvitation && (l.State == LinkExpired || l.State == LinkRedeemed)
}

// WantInvitation records that somebody whose invitation has failed asks for a
// new one. It sends them nothing: whether they get one is for their admins to
// decide. Asking twice on one day is recorded once.
func (s *Service) WantInvitation(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) error {
	if err := s.throttles.allow(redeemRates, from.IP); err != nil {
		return err
	}
	p, err := s.wanter(ctx, institution, token)
	if err != nil {
		return err
	}
	action := guard.Action{Event: p.event("invite_requested"), Organization: p.Organization, Target: p.target(), Self: true}
	return s.guard.Do(ctx, p.caller(from), action, func(c *guard.Change) error {
		e, err := s.byToken(c.Tx, institution, PurposeInvitation, token)
		if !e.Link.Wanting() {
			return err
		}
		n, err := c.Tx.Exec(`
			update link set wanted_micros = $1
			 where institution_id = $2 and token_hash = $3 and wanted_micros <= $4`,
			c.Tx.Now.UnixMicro(), institution, digest(string(PurposeInvitation), token), c.Tx.Now.Add(-wantAgain).UnixMicro())
		if err != nil {
			return fmt.Errorf("note that an invitation is wanted: %w", err)
		}
		if n > 0 {
			c.Record()
		}
		return nil
	})
}

var errLinkWorks = fault.New(fault.Conflict, "This invitation still works. Open it again.").With("LINK_WORKS")

// wanter is whose failed invitation it was.
func (s *Service) wanter(ctx context.Context, institution bank.InstitutionID, token Secret) (p Person, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		e, failure := s.byToken(tx, institution, PurposeInvitation, token)
		switch {
		case failure == nil:
			return errLinkWorks
		case !e.Link.Wanting():
			return failure
		}
		p, err = s.people.Find(tx, e.Link.Subject)
		if errors.Is(err, ErrNoPerson) || err == nil && !useful(&p, PurposeInvitation) {
			return linkFailures[LinkCancelled]
		}
		return err
	})
	return p, err
}
