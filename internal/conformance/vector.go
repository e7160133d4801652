package conformance

import "time"

// A Vector is one world and what happens in it.
type Vector struct {
	Name   string
	Source string // where the expectation comes from
	World  World
	Steps  []Step
}

// A World is the state in which a vector's steps begin. It may hold settings
// that no edit would have allowed, as imported data does.
type World struct {
	Now         time.Time
	Institution struct {
		Edition  string
		TimeZone string
		Offers   []string
	}
	Organization struct {
		Entitlements []string
		Ceilings     values
		AccountsOff  byName[[]string]
	}
	Accounts []string
	Members  []Member
}

// A Member is one person of a world.
type Member struct {
	ID          string
	Role        string
	Status      string
	Held        bool
	Permissions values
	Accounts    byName[values]
}

// A Step is one thing that is asked, or one change of the world. Exactly one of
// the verbs is there.
type Step struct {
	Verb   string
	Ask    Ask     // decide, authorize
	Ref    string  // authorize, approve, confirm, void
	Member string  // approve, member
	Edit   Edit    // edit
	World  Turn    // organization, member, advance
	Expect *Expect // absent for a change of the world
}

// An Ask is a question about a payment or another operation.
type Ask struct {
	Member    string
	Operation string
	Account   string
	ToAccount string
	Amount    string
	Context   values
}

// An Edit is a change of settings that an actor asks for.
type Edit struct {
	Actor   string
	Member  string
	Account string
	Set     values
	Cascade bool
}

// A Turn is a change of the world between questions. What is nil stays.
type Turn struct {
	Entitlements *[]string
	Ceilings     *values
	Status, Role *string
	Held         *bool
	Advance      time.Duration
}

// An Expect is the answer that must come out: all of it, as the verb answers.
type Expect struct {
	Decision         *bool
	ApprovalRequired *bool
	Reasons          *[]Reason
	Accepted         *bool
	Problems         *[]Problem
	TurnedOff        *[]string
}

// A Reason is one thing that blocks, as files write it.
type Reason struct{ Code, Level, Permission, Account string }

// A Problem is one thing that is wrong with an edit, as files write it.
type Problem struct{ Code, Permission, Needs string }
