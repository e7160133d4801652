package product

import (
	"slices"

	"mandate/internal/pdp"
)

// An edgeKey is a member of a context that says how to answer, and not what is
// asked. Both ways of reading an evaluation take them from here.
type edgeKey struct {
	name string
	take func(a *asked, value any) bool // false: the value is not understood
}

// edgeKeys are all of them. The reader is the first: it is known where another is
// not understood.
var edgeKeys = [...]edgeKey{
	{"explain", (*asked).takeReader},
	{"at_least_revision", (*asked).takeAtLeast},
	{"approval", (*asked).takeApproval},
}

// edgeKeyOf is the key of a name; nil for what is part of the question.
func edgeKeyOf(name string) *edgeKey {
	for i := range edgeKeys {
		if edgeKeys[i].name == name {
			return &edgeKeys[i]
		}
	}
	return nil
}

// takeReader reads for whom the caller wants an explanation. Where it is nobody
// that exists, the least is told.
func (a *asked) takeReader(value any) bool {
	a.reader = user
	if value == "admin" {
		a.reader = admin
	}
	return value == "admin" || value == "user"
}

func (a *asked) takeAtLeast(value any) bool {
	token, _ := value.(string)
	revision, err := pdp.ParseRevision(token)
	a.AtLeast = append(slices.Clip(a.AtLeast), revision)
	return err == nil
}

// An approval is the payment that a context names as one.
type approval struct {
	given bool
	ref   string // empty where it names none that could be
}

// takeApproval is for those who can make access requests; for others it is a
// member like any that is not known.
func (a *asked) takeApproval(value any) bool {
	members, _ := value.(map[string]any)
	ref, _ := members["id"].(string)
	a.approval = approval{given: true, ref: ref}
	return true
}
