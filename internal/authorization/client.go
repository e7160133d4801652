package authorization

import (
	"context"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// History events of payments that outside systems ask about.
const (
	EventAuthorized = "payment.authorized"
	EventApproved   = "payment.approved"
	EventConfirmed  = "payment.confirmed"
	EventVoided     = "payment.voided"
)

// Authorize is AuthorizeIn for an outside payment system, whose reference it
// is.
func (s *Service) Authorize(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, ref string, asked Asked) (Answer, error) {
	if err := checkRef(ref); err != nil {
		return Answer{}, err
	}
	content, err := asked.content()
	if err != nil {
		return Answer{}, err
	}
	return s.do(ctx, caller, organization, call{
		event: EventAuthorized, ref: ref, content: content, scope: asked.Scope(),
		verb: func(c *guard.Change, ref Ref) (Answer, error) { return s.AuthorizeIn(c, ref, asked) },
		says: func(a *Authorization) []activity.Change {
			if a.ApprovalRequired {
				return append(asked.changes(), activity.Change{Field: "approval_required", New: "true"})
			}
			return asked.changes()
		},
	})
}

// Approve is ApproveIn for an outside payment system: it says which member
// approves.
func (s *Service) Approve(ctx context.Context, caller bank.Caller, ref string, member bank.UserID) (Answer, error) {
	return s.doKnown(ctx, caller, call{
		event: EventApproved, ref: ref, content: string(member), scope: scopeOf(member),
		verb: func(c *guard.Change, ref Ref) (Answer, error) { return s.ApproveIn(c, ref, member) },
		says: func(*Authorization) []activity.Change {
			if !plausible(string(member)) {
				return nil
			}
			return []activity.Change{{Field: "approved_by", New: string(member)}}
		},
	})
}

// Confirm is ConfirmIn for an outside payment system.
func (s *Service) Confirm(ctx context.Context, caller bank.Caller, ref string) (Answer, error) {
	return s.doKnown(ctx, caller, call{event: EventConfirmed, ref: ref, verb: s.ConfirmIn, says: amount})
}

// Void is VoidIn for an outside payment system.
func (s *Service) Void(ctx context.Context, caller bank.Caller, ref string) (Answer, error) {
	return s.doKnown(ctx, caller, call{event: EventVoided, ref: ref, verb: s.VoidIn, says: amount})
}

func amount(a *Authorization) []activity.Change { return a.Asked.changes() }

// A call is one verb that an outside system calls.
type call struct {
	event   string
	ref     string
	content string // what is asked beside the reference
	scope   entitlement.Scope
	verb    func(*guard.Change, Ref) (Answer, error)
	says    func(*Authorization) []activity.Change // for the history
}

// OrganizationOf finds the organization of a caller's reference; there may be
// no such reference.
func (s *Service) OrganizationOf(ctx context.Context, caller bank.Caller, ref string) (bank.OrganizationID, bool, error) {
	a, found, err := s.lookUp(ctx, caller, ref)
	return a.Organization, found, err
}

func (s *Service) lookUp(ctx context.Context, caller bank.Caller, ref string) (a Authorization, found bool, err error) {
	if checkRef(ref) != nil {
		return Authorization{}, false, nil
	}
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		a, found, err = Find(tx, caller.Institution, refOf(caller, ref))
		return err
	})
	return a, found, err
}

// doKnown finds the organization and the people of a reference first. The
// organization and what was asked never change for a reference; should somebody
// approve it between this look and the lock, the verb reads what it lacks.
func (s *Service) doKnown(ctx context.Context, caller bank.Caller, do call) (Answer, error) {
	a, found, err := s.lookUp(ctx, caller, do.ref)
	if err != nil {
		return Answer{}, err
	}
	if !found {
		return a.refused(entitlement.UnknownRef), nil
	}
	do.scope = do.scope.And(a.Asked.Scope()).And(scopeOf(a.ApprovedBy))
	return s.do(ctx, caller, a.Organization, do)
}

func refOf(caller bank.Caller, name string) Ref {
	return Ref{Client: bank.ClientID(caller.ID), Name: name}
}

// do runs a verb as a change of its own and records what came out. A refusal is
// an answer: it is kept and recorded, and the change commits.
func (s *Service) do(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, do call) (answer Answer, err error) {
	ref := refOf(caller, do.ref)
	action := guard.Action{
		Event: do.event, Organization: organization, Scope: do.scope,
		Target: activity.Target{Kind: activity.TargetPayment, Name: do.ref},
		Others: []bank.ActorKind{bank.ActorClient}, Brief: true,
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		told, known, err := s.recall(c, do)
		if known || err != nil {
			answer = told
			return err
		}
		if answer, err = do.verb(c, ref); err != nil {
			return err
		}
		if !answer.Repeated {
			record(c, do, &answer)
		}
		return s.keep(c, do, &answer)
	})
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

func record(c *guard.Change, do call, answer *Answer) {
	a := &answer.Authorization
	target := a.Target()
	target.Name = do.ref
	if answer.Allowed {
		c.RecordQuiet(do.event, target, "", do.says(a)...)
		return
	}
	c.RecordRefused(do.event, target, string(answer.Reasons[0].Code), codes(answer.Reasons), do.says(a)...)
}

// codes are the codes of all reasons, each once.
func codes(reasons []entitlement.Reason) string {
	var all []string
	seen := map[entitlement.Code]bool{}
	for _, r := range reasons {
		if !seen[r.Code] {
			seen[r.Code] = true
			all = append(all, string(r.Code))
		}
	}
	return strings.Join(all, ", ")
}
