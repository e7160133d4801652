package authorization

import (
	"context"
	"crypto/sha256"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// Sum stands for all that is asked: equal questions have equal sums.
func (a Asked) Sum() ([sha256.Size]byte, error) {
	text, err := a.content()
	return sha256.Sum256([]byte(text)), err
}

// A Standing is where a payment stands at a moment.
type Standing struct {
	Authorization
	State State     // now: one that was not confirmed in time is voided
	Over  bool      // it is voided because its time is over
	Ends  time.Time // when its time is over; zero: never
}

// Waits reports whether it still lacks its second person.
func (s *Standing) Waits() bool {
	return s.State == Pending && s.ApprovalRequired && s.ApprovedBy == ""
}

// Standing is where the payment under a caller's reference stands; there may be
// no such reference.
func (s *Service) Standing(ctx context.Context, caller bank.Caller, ref string) (now Standing, found bool, err error) {
	if checkRef(ref) != nil {
		return Standing{}, false, nil
	}
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		now.Authorization, found, err = Find(tx, caller.Institution, refOf(caller, ref))
		now.State = s.state(&now.Authorization, tx.Now)
		return err
	})
	if s.lifetime > 0 {
		now.Ends = now.WaitsFrom.Add(s.lifetime)
		now.Over = now.State == Voided && now.Authorization.State == Pending
	}
	return now, found, err
}

// looks is how often WouldConfirm looks again when somebody approves meanwhile.
const looks = 3

// WouldConfirm is what Confirm would say at this moment about a payment under a
// reference, if it is the one that is asked. It changes nothing.
func (s *Service) WouldConfirm(ctx context.Context, caller bank.Caller, ref string, asked Asked) (entitlement.Decision, error) {
	content, err := asked.content()
	if err != nil {
		return entitlement.Decision{}, err
	}
	for range looks {
		a, found, err := s.lookUp(ctx, caller, ref)
		if err != nil {
			return entitlement.Decision{}, err
		}
		if !found {
			return entitlement.Refused(entitlement.UnknownRef), nil
		}
		if d, still, err := s.wouldConfirm(ctx, caller, a, content); still || err != nil {
			return d, err
		}
	}
	return entitlement.Refused(entitlement.NotApproved), nil
}

// wouldConfirm judges a payment with those who had a part in it when it was seen;
// still is false where that has changed.
func (s *Service) wouldConfirm(ctx context.Context, caller bank.Caller, seen Authorization, content string) (d entitlement.Decision, still bool, err error) {
	action := guard.Action{Organization: seen.Organization, Target: seen.Target(), Scope: seen.scope(seen.ApprovedBy), Others: []bank.ActorKind{bank.ActorClient}}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		a, found, err := Find(v.Tx, caller.Institution, seen.Ref)
		if err != nil {
			return err
		}
		if still = found && a.ApprovedBy == seen.ApprovedBy; !still {
			return nil
		}
		switch state := s.state(&a, v.Tx.Now); {
		case a.content != content:
			d = entitlement.Refused(entitlement.RefReused)
		case state == Refused || state == Voided:
			d = entitlement.Refused(entitlement.NotPending)
		case state == Confirmed:
			d = yes(&a).Decision
		default:
			if d, err = a.mayRelease(v.Tx, v.Policy); err == nil && len(d.Reasons) == 0 {
				d = yes(&a).Decision
			}
		}
		return err
	})
	return d, still, err
}

// Sentence says a code of authorizing to a person, or nothing where the code is
// not one of those.
func Sentence(code entitlement.Code) (sentence string, known bool) {
	sentence, known = sentences[code]
	return sentence, known
}

var sentences = map[entitlement.Code]string{
	entitlement.RefReused:           "The reference stands for another payment.",
	entitlement.RefVoided:           "The payment was voided.",
	entitlement.UnknownRef:          "There is no payment under this reference.",
	entitlement.NotPending:          "Nothing waits for this under this reference.",
	entitlement.NotApproved:         "A second person must approve the payment first.",
	entitlement.SelfApproval:        "Nobody approves their own payment.",
	entitlement.InitiatorNotAllowed: "Whoever initiated the payment may not send it any more.",
	entitlement.ApproverNotAllowed:  "Whoever approved the payment may not approve it any more.",
	entitlement.Confirmed:           "The payment is confirmed and cannot be taken back.",
}
