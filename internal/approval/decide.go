package approval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// What people hear who come too late, or to nothing.
var (
	ErrNoItem  = fault.New(fault.NotFound, "There is nothing of that kind waiting here.")
	ErrDecided = fault.New(fault.Conflict, "This no longer waits: somebody decided, changed it or took it back.").With("NOT_PENDING")
	ErrChanged = fault.New(fault.Conflict, "This was changed after you saw it. Look at it again before you decide.").With("CHANGED")
	ErrExpired = fault.New(fault.Conflict, "The time to decide about this is over.").With("EXPIRED")
)

// A Refusal is why somebody may not approve, as the cause of a fault, and what
// would change it.
type Refusal struct {
	Reasons []entitlement.Reason
	Fix     []entitlement.Step
}

// Why is the refusal with its proof.
func (r *Refusal) Why() entitlement.Explanation {
	return entitlement.Explanation{Decision: entitlement.Decision{Reasons: r.Reasons}, Fix: r.Fix}
}

func (r *Refusal) Error() string {
	var codes []string
	for _, reason := range r.Reasons {
		codes = append(codes, string(reason.Code))
	}
	return strings.Join(codes, " ")
}

func refused(sentence string, reasons []entitlement.Reason) error {
	return fault.New(fault.Forbidden, sentence).With(string(reasons[0].Code)).Because(&Refusal{Reasons: reasons})
}

// refusedTo says why a member may not do something, and who could change it.
func refusedTo(sentence string, e entitlement.Explanation) error {
	return fault.New(fault.Forbidden, sentence).With(string(e.Reasons[0].Code)).Because(&Refusal{e.Reasons, e.Fix})
}

func decideAgain(tx *db.Tx, p *entitlement.Policy, req entitlement.Request, reservation usage.ID) (entitlement.Decision, error) {
	if req.Operation == catalog.UnknownOperation { // the room asks nothing more of the initiator
		return entitlement.Decision{Allowed: true}, nil
	}
	used, err := usage.ForExcept(tx, p, req, reservation)
	if err != nil {
		return entitlement.Decision{}, err
	}
	req.Used = used
	return entitlement.Decide(p, req), nil
}

// Approve is the second person's yes to what they saw: hash is of the content
// that they were shown. It asks for a high-risk authorization.
func (s *Service) Approve(ctx context.Context, caller bank.Caller, id, hash, comment string) error {
	var goes Carrier
	err := s.decide(ctx, caller, id, comment, approve, func(c *guard.Change, k Kind, item *Item) error {
		goes, _ = k.(Carrier)
		matter, err := s.current(c, k, item)
		if err != nil {
			return err
		}
		if matter.Hash() != item.Hash || hash != item.Hash {
			return ErrChanged
		}
		if err := s.judge(c, item, &matter, caller.Member()); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("approve " + item.ID + " " + item.Hash)); err != nil {
			return err
		}
		if err := s.settle(c, item, approve, comment); err != nil {
			return err
		}
		return k.Approved(c, *item)
	})
	if err == nil && goes != nil {
		goes.Carry(ctx)
	}
	return err
}

// Reject is the second person's no. Whoever may approve may reject, and so may
// those who had a hand in it: they take it back.
func (s *Service) Reject(ctx context.Context, caller bank.Caller, id, comment string) error {
	return s.decide(ctx, caller, id, comment, reject, func(c *guard.Change, k Kind, item *Item) error {
		matter, err := s.current(c, k, item)
		if err != nil {
			return err
		}
		req := matter.Approve(caller.Member())
		req.Member, req.Now = caller.Member(), c.Tx.Now
		if e := entitlement.Explain(c.Policy, req); !e.Allowed {
			return refusedTo("You may not reject this: it takes the right to approve it.", e)
		}
		if err := s.settle(c, item, reject, comment); err != nil {
			return err
		}
		return k.Ended(c, *item)
	})
}

// decide runs a decision as a change of its own and records it.
func (s *Service) decide(ctx context.Context, caller bank.Caller, id, comment string, step Step, verb func(*guard.Change, Kind, *Item) error) error {
	if err := checkComment(comment); err != nil {
		return err
	}
	seen, k, err := s.look(ctx, caller, id)
	if err != nil {
		return err
	}
	event := k.Events().Approved
	if step == reject {
		event = k.Events().Rejected
	}
	action := guard.Action{
		Event: event, Organization: caller.Organization, Target: seen.target(),
		Others: []bank.ActorKind{bank.ActorMember}, // the engine is asked with amount and account
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		item, found, err := find(c.Tx, caller.Institution, caller.Organization, id)
		switch {
		case err != nil:
			return err
		case !found:
			return ErrNoItem
		case item.State != Waiting:
			return ErrDecided
		case !c.Tx.Now.Before(item.Expires):
			return ErrExpired
		}
		if err := verb(c, k, &item); err != nil {
			return err
		}
		c.RecordQuiet(event, item.target(), comment, activity.Change{Field: "approval", Old: string(Waiting), New: string(item.State)})
		return nil
	})
}

func checkComment(comment string) error {
	if utf8.RuneCountInString(comment) <= MaxComment {
		return nil
	}
	var problems fault.Problems
	problems.Addf("comment", "Use at most %d characters.", MaxComment)
	return problems.Err("The comment is too long.")
}

// look finds out which room an item belongs to, before the door is passed.
func (s *Service) look(ctx context.Context, caller bank.Caller, id string) (item Item, k Kind, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var found bool
		if item, found, err = find(tx, caller.Institution, caller.Organization, id); err == nil && !found {
			err = ErrNoItem
		}
		return err
	})
	if err != nil {
		return Item{}, nil, err
	}
	k, err = s.kind(item.Kind)
	return item, k, err
}

// current reads what an item is about as it stands now, with everybody's facts.
func (s *Service) current(c *guard.Change, k Kind, item *Item) (Matter, error) {
	m, err := k.Matter(c.Tx, item.Institution, item.Organization, item.Ref)
	if err != nil {
		return Matter{}, err
	}
	scope := m.Scope()
	scope.AllMembers, scope.Members = false, []bank.UserID{item.Initiator.ID, item.By.ID}
	return m, c.Widen(scope)
}

// judge refuses an approval that may not be, by this member or at all.
func (s *Service) judge(c *guard.Change, item *Item, m *Matter, member bank.UserID) error {
	hands, err := handsIn(c.Tx, item)
	if err != nil {
		return err
	}
	if d := mayApprove(c.Policy, m, hands, member, c.Tx.Now); !d.Allowed {
		if d.Has(entitlement.SelfApproval) && len(d.Reasons) == 1 {
			return refused("Somebody else must approve this: you made or edited it.", d.Reasons)
		}
		return refusedTo("You may not approve this.", whyNot(c.Policy, m, d, member, c.Tx.Now))
	}
	d, err := wouldInitiate(c, item, m)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return refused(item.Initiator.Name+" may no longer do this, so it cannot go out.", about(entitlement.InitiatorNotAllowed))
	}
	return nil
}

func about(code entitlement.Code) []entitlement.Reason {
	return []entitlement.Reason{{Code: code, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}}
}

// settle stores a decision and tells those who had a hand in it.
func (s *Service) settle(c *guard.Change, item *Item, step Step, comment string) error {
	item.By, item.Comment = Somebody{c.Caller.Member(), c.Caller.Name}, strings.TrimSpace(comment)
	if err := item.to(c.Tx, step); err != nil {
		return err
	}
	hands, err := handsIn(c.Tx, item)
	if err != nil {
		return err
	}
	return s.teller.Decided(c.Tx, *item, hands)
}

// ReleaseIn is the moment at which something approved goes out, inside the
// room's change. Everybody is judged once more, on the content as it stands
// now; nothing is released where the answer is no, which is a fault of kind
// Forbidden or Conflict.
func (s *Service) ReleaseIn(c *guard.Change, kind, ref string) (Item, error) {
	k, err := s.kind(kind)
	if err != nil {
		return Item{}, err
	}
	item, found, err := findOpen(c.Tx, c.Caller.Institution, c.Policy.Organization.ID, kind, ref)
	if err != nil {
		return Item{}, err
	}
	if !found || item.State != Approved {
		return Item{}, refused("Nobody has approved this.", []entitlement.Reason{{Code: entitlement.NotApproved, Level: entitlement.LevelRequest, Permission: entitlement.NoPermission}})
	}
	matter, err := s.current(c, k, &item)
	if err != nil {
		return Item{}, err
	}
	if matter.Hash() != item.Hash {
		return Item{}, ErrChanged
	}
	err = s.judge(c, &item, &matter, item.By.ID)
	if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.Reasons[0].Code != entitlement.InitiatorNotAllowed {
		return Item{}, refused(item.By.Name+", who approved this, no longer may.", about(entitlement.ApproverNotAllowed))
	}
	if err != nil {
		return Item{}, err
	}
	return item, item.to(c.Tx, release)
}

// expirePage is how many overdue items are read at a time.
const expirePage = 100

// Expire ends what nobody decided in time. Doing it again, or on several
// machines at once, is harmless. One that fails does not keep the others.
func (s *Service) Expire(ctx context.Context) (expired int, err error) {
	last := ""
	for {
		var page []Item
		e := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = overdue(tx, last, expirePage)
			return err
		})
		if e != nil {
			return expired, errors.Join(err, e)
		}
		for i := range page {
			done, e := s.expireOne(ctx, &page[i])
			if e != nil {
				err = errors.Join(err, fmt.Errorf("expire %s: %w", page[i].ID, e))
			}
			if done {
				expired++
			}
		}
		if len(page) < expirePage || ctx.Err() != nil {
			return expired, err
		}
		last = page[len(page)-1].ID
	}
}

func (s *Service) expireOne(ctx context.Context, seen *Item) (done bool, err error) {
	if seen.side == staffSide {
		return s.expireStaff(ctx, seen)
	}
	k, err := s.kind(seen.Kind)
	if err != nil {
		return false, err
	}
	event := k.Events().Expired
	action := guard.Action{Event: event, Organization: seen.Organization, Target: seen.target(), Others: []bank.ActorKind{bank.ActorSystem}}
	err = s.guard.Do(ctx, bank.System(seen.Institution), action, func(c *guard.Change) error {
		item, found, err := find(c.Tx, seen.Institution, seen.Organization, seen.ID)
		done = err == nil && found && item.State == Waiting && !c.Tx.Now.Before(item.Expires)
		if err != nil || !done {
			return err
		}
		if err := item.to(c.Tx, expire); err != nil {
			return err
		}
		hands, err := handsIn(c.Tx, &item)
		if err != nil {
			return err
		}
		if err := s.teller.Decided(c.Tx, item, hands); err != nil {
			return err
		}
		c.RecordQuiet(event, item.target(), "Nobody decided in time.", activity.Change{Field: "approval", Old: string(Waiting), New: string(Expired)})
		return k.Ended(c, item)
	})
	return done && err == nil, err
}

// EndWaiting lets the time to decide of everything that waits in an institution
// be over: Expire ends it as it ends what nobody decided about. It is for a
// database that was restored, where what waits may have been decided since.
func EndWaiting(tx *db.Tx, institution bank.InstitutionID) error {
	_, err := tx.Exec(`update approval_item set expires_micros = $1 where institution_id = $2 and state = 'waiting' and expires_micros > $1`,
		tx.Now.UnixMicro(), institution)
	if err != nil {
		return fmt.Errorf("end what waits for a second person: %w", err)
	}
	return nil
}
