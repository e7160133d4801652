package pdp

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/entitlement/compact"
	"mandate/internal/fault"
)

// A demanded revision is waited for where another process may have made it: for
// as long as it takes to come to a standby, and no longer.
const (
	waitForRevision = 500 * time.Millisecond
	lookEvery       = 20 * time.Millisecond
)

// reach brings what is known up to what questions demand, where that can be.
func (a *asking) reach(questions []Question) error {
	until := time.Now().Add(waitForRevision)
	for i := range questions {
		for _, demanded := range questions[i].AtLeast {
			if err := a.reachOne(demanded, until); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *asking) reachOne(demanded Revision, until time.Time) error {
	for {
		reached, err := a.reached([]Revision{demanded})
		if err != nil || reached || !a.comparable(demanded) || !a.service.memory.MayLag() {
			return err
		}
		if err := a.look(demanded); err != nil {
			return err
		}
		if reached, err = a.reached([]Revision{demanded}); err != nil || reached || !a.service.memory.Waits() || time.Now().After(until) {
			return err
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// look reads what a revision is about from the database again.
func (a *asking) look(demanded Revision) (err error) {
	if demanded.OfInstitution > a.view.Institution().Revision {
		if a.view, err = a.service.memory.ReadInstitution(a.ctx, a.institution); err != nil {
			return err
		}
		a.blocks = map[bank.OrganizationID]*compact.Block{} // which may be older than that
	}
	if b := a.blocks[demanded.Organization]; b != nil && b.Revision < demanded.OfOrganization {
		if b, err = a.service.memory.ReadOrganization(a.ctx, a.institution, demanded.Organization); err == nil {
			a.blocks[demanded.Organization] = b
		}
	}
	return err
}

// comparable reports whether a revision is of this institution and this life of
// the database.
func (a *asking) comparable(demanded Revision) bool {
	return demanded.Institution == a.institution && demanded.Epoch == a.service.memory.Epoch()
}

// knows reports whether a revision is certainly reached by another one.
func (r Revision) knows(demanded Revision) bool {
	return demanded.IsZero() || demanded.Epoch == r.Epoch && demanded.Institution == r.Institution &&
		demanded.OfInstitution <= r.OfInstitution &&
		(demanded.Organization == "" && demanded.OfOrganization == 0 || demanded.Organization == r.Organization && demanded.OfOrganization <= r.OfOrganization)
}

// reached reports whether everything that revisions know is known here. One of
// another institution, another epoch, or an organization that is not here never
// is.
func (a *asking) reached(demanded []Revision) (bool, error) {
	for _, d := range demanded {
		if d.IsZero() {
			continue
		}
		if !a.comparable(d) || a.view.Institution().Revision < d.OfInstitution {
			return false, nil
		}
		if d.Organization == "" {
			if d.OfOrganization > 0 {
				return false, nil
			}
			continue
		}
		var b *compact.Block
		var err error
		if storable(string(d.Organization)) {
			b, err = a.block(d.Organization)
		}
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return false, err
		}
		if b == nil || b.Revision < d.OfOrganization {
			return false, nil
		}
	}
	return true, nil
}
