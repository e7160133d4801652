// Package scan reads the bodies of AuthZEN evaluations in the one plain shape
// that nearly all of them have: members that the protocol knows, each at most
// once, text without escapes, properties without further objects in them. It
// allocates nothing once its memory has grown, and takes a fraction of the time
// that reading any JSON takes.
//
// Whatever is not plain it leaves alone: it says so, and the reader of any JSON
// has the word. It never says what is wrong, and it must never take for plain
// what that reader refuses or understands in another way: the edge's fuzz test
// holds the two against each other.
package scan

import "strconv"

// A Request is one evaluation, or several of one request. Reading into it again
// uses its memory again; its texts are parts of the body that was read.
type Request struct {
	Evaluations []Evaluation
	Semantic    string // of a batch, as its option says it; empty: it has none
	members     []Member
}

// An Evaluation is one question as it came, defaults filled in.
type Evaluation struct {
	Subject  Entity
	Action   Action
	Resource Entity
	Context  Members
	given    parts
}

// An Entity is a subject or a resource.
type Entity struct {
	Type, ID   string
	Properties Members
}

// An Action is what the subject wants to do.
type Action struct {
	Name       string
	Properties Members
}

// Members are the members of an object of which nothing is known before. The
// zero Members were not given.
type Members struct {
	given    bool
	from, to uint32 // in the request's
}

// Given reports whether there is an object at all, which may be empty.
func (m Members) Given() bool { return m.given }

// A Member is one of them.
type Member struct {
	Name string
	Kind Kind
	Text string // of a text without its quotes, of a number as it came
}

// A Kind is what a member holds.
type Kind uint8

const (
	Null Kind = iota
	False
	True
	Number
	Text
)

// Value is what a member holds as any reader of JSON would have it. It allocates.
func (m Member) Value() any {
	switch m.Kind {
	case False, True:
		return m.Kind == True
	case Text:
		return m.Text
	case Number:
		n, _ := strconv.ParseFloat(m.Text, 64) // so short a number always is one
		return n
	}
	return nil
}

// Of are members of the request, in the order in which they came.
func (r *Request) Of(m Members) []Member { return r.members[m.from:m.to] }

// Bounds of what is plain. More of anything is left to the other reader.
const (
	maxMembers = 12 // of one object of properties, or of a context
	maxDigits  = 15 // of a number, which any float64 then holds
)

// parts say which of its four parts an evaluation has.
type parts uint8

const (
	subject parts = 1 << iota
	action
	resource
	context
	evaluations
	options

	required = subject | action | resource
)

// Evaluation reads the body of a single evaluation and reports whether it is
// plain. If it is not, r holds nothing.
func (r *Request) Evaluation(body string) bool {
	r.reset()
	p := reader{text: body, to: r}
	var e Evaluation
	if !p.evaluation(&e) || !p.end() || e.given&required != required {
		r.reset()
		return false
	}
	r.Evaluations = append(r.Evaluations, e)
	return true
}

// Batch reads the body of several evaluations, at most so many, and reports
// whether it is plain. If it is not, r holds nothing.
func (r *Request) Batch(body string, most int) bool {
	r.reset()
	p := reader{text: body, to: r}
	if !p.batch(most) || !p.end() {
		r.reset()
		return false
	}
	return true
}

// Forget lets go of the body that was read.
func (r *Request) Forget() {
	clear(r.Evaluations)
	clear(r.members)
	r.reset()
}

func (r *Request) reset() {
	r.Evaluations, r.members, r.Semantic = r.Evaluations[:0], r.members[:0], ""
}
