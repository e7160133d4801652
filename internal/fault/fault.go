// Package fault is the few kinds of error that a person may see. A fault
// carries one sentence for them; its cause, if it has one, is for the log only.
// Every other error is wrapped with what was being done and ends as Internal.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// A Kind sorts faults by what the person can do about them.
type Kind uint8

// The zero Kind is Internal, which shows nothing but a reference.
const (
	Internal     Kind = iota // our failure
	Invalid                  // the input is wrong; Problems say where
	Unauthorized             // nobody is signed in, or the key is unknown
	Forbidden                // known, and not allowed
	NotFound                 // not there, or not theirs to know of
	Conflict                 // it was changed meanwhile, or its state forbids it
	StepUp                   // allowed after high-risk authorization
	TooMany                  // slow down
	Unavailable              // could not be checked now; try again
)

// An Error is a fault: a kind, a sentence for the person, and all problems of
// the input at once.
type Error struct {
	Kind     Kind
	Code     string // stable, for programs; empty where the kind says enough
	Sentence string
	Problems []Problem
	Cause    error // for the log, never for the person
}

// A Problem is one thing that is wrong with one field: what was wrong and what
// would be right.
type Problem struct {
	Field    string // the name of the form or JSON field; empty for the whole
	Code     string // stable, for programs; may be empty
	Sentence string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Sentence)
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "; %s: %s", p.Field, p.Sentence)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// New returns a fault of a kind with the sentence that the person reads.
func New(kind Kind, sentence string) *Error {
	return &Error{Kind: kind, Sentence: sentence}
}

// Newf is New with a format. Arguments are shown to the person.
func Newf(kind Kind, format string, args ...any) *Error {
	return New(kind, fmt.Sprintf(format, args...))
}

// With returns a copy of e that has a code for programs.
func (e *Error) With(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// Because returns a copy of e that keeps a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// KindOf is the kind of the first fault in err's chain, Internal for any other
// error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Problems collects what is wrong with an input, so that all of it is said at
// once.
type Problems []Problem

// Add notes a problem of a field.
func (p *Problems) Add(field, sentence string) {
	*p = append(*p, Problem{Field: field, Sentence: sentence})
}

// Addf is Add with a format.
func (p *Problems) Addf(field, format string, args ...any) {
	p.Add(field, fmt.Sprintf(format, args...))
}

// Err is nil where nothing is wrong, otherwise one Invalid fault with all
// problems.
func (p Problems) Err(sentence string) error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Sentence: sentence, Problems: p}
}

// ProblemsOf are the problems of the first fault in err's chain.
func ProblemsOf(err error) []Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Problems
	}
	return nil
}
