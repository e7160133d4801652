package product

import (
	"slices"

	"mandate/internal/authorization"
	"mandate/internal/authzen"
	"mandate/internal/client"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
)

// A reader is who will read an explanation.
type reader uint8

const (
	nobody reader = iota // no explanation is wanted
	user                 // the person asked about
	admin                // somebody who may know everything about them
)

// needsApproval is why something is a no over AuthZEN that is a yes with a
// second person.
var needsApproval = entitlement.Reason{
	Code: entitlement.ApprovalRequired, Level: entitlement.LevelRequest, Permission: entitlement.NoPermission,
}

// decision is the answer as AuthZEN carries it.
func (d *Decider) decision(caller *client.Client, a *asked, answer pdp.Answer) authzen.Decision {
	decision := a.decision(answer)
	if d.requestable(caller, answer) {
		for name, value := range d.request(caller, a, answer) {
			decision.Say(name, value)
		}
	}
	if a.obliges(caller, answer) {
		decision.Say("obligations", obligation(a))
	}
	return decision
}

func (a *asked) decision(answer pdp.Answer) authzen.Decision {
	reasons := answer.Reasons
	if answer.Allowed && answer.ApprovalRequired {
		reasons = []entitlement.Reason{needsApproval}
	}
	d := authzen.Decision{Allowed: answer.Allowed && !answer.ApprovalRequired}
	if a.reader == nobody {
		return d
	}
	d.Context = a.explained(reasons, answer.Names, answer.Revision)
	return d
}

// explained is what a context says to whoever wants an explanation.
func (a *asked) explained(reasons []entitlement.Reason, names entitlement.Names, known pdp.Revision) map[string]any {
	said := map[string]any{"reasons": a.inWords(reasons, names)}
	if revision := known.String(); revision != "" {
		said["revision"] = revision
	}
	return said
}

// A reason is one thing that blocks, for programs and for the reader.
type reason struct {
	Code       entitlement.Code `json:"code"`
	Level      string           `json:"level"`
	Permission string           `json:"permission,omitempty"`
	Account    string           `json:"account,omitempty"`
	Message    string           `json:"message"`
}

func (a *asked) inWords(reasons []entitlement.Reason, names entitlement.Names) []reason {
	switch {
	case a.reader == user:
		names.Member = "" // said to the person themself
	case names.Member == "":
		names.Member = string(a.Member)
	}
	words := []reason{}
	for _, r := range reasons {
		if a.reader == user && r.Code == entitlement.MemberHeld {
			// A hold is never shown to the person held: it looks like any
			// other state in which they cannot act.
			r = entitlement.Reason{Code: entitlement.MemberStatus, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}
		}
		w := reason{r.Code, r.Level.String(), r.Permission.String(), string(r.Account), sentence(r, names)}
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// sentence says the codes of this edge, and leaves the others to the engine.
func sentence(r entitlement.Reason, names entitlement.Names) string {
	switch r.Code {
	case UnknownSubject:
		return "Decisions are about subjects of the type user only."
	case UnknownResource:
		return "This operation is not about resources of this type."
	case pdp.RevisionNotReached:
		return "The revision that was demanded is not known here yet."
	}
	if words, ok := authorization.Sentence(r.Code); ok {
		return words
	}
	return r.Sentence(names)
}
