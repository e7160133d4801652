// Package webhook is the room of webhooks: it tells receivers of an institution's
// choice that something happened, signed, after it was committed, at least once.
// What happened in full a receiver reads through the API, if it may: a webhook
// holds no secret and no personal data, and nothing a receiver answers has any
// effect but its status.
//
// Each endpoint has a queue of its own, so that one that is slow or dead delays
// nobody else.
package webhook

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/fault"
)

// Named limits.
const (
	maxEndpoints     = 20 // of an institution
	maxName          = 80
	maxURL           = 500
	maxNames         = 100
	maxOrganizations = 100
	maxFields        = 100 // of an event that are named

	rotationTime = 24 * time.Hour // in which what is sent is signed with the old secret too
)

// An ID names an endpoint.
type ID string

const (
	prefixEndpoint = "whk"
	prefixTest     = "tst" // of a message that tells of nothing
)

// A State says whether an endpoint is told anything now.
type State string

const (
	Active  State = "active"
	Paused  State = "paused"  // by somebody: what happens waits
	Gone    State = "gone"    // the receiver said that it is gone: nothing waits any more
	Failing State = "failing" // it failed for days: what happens waits
)

// A Draft is what somebody decides about an endpoint.
type Draft struct {
	Name          string
	URL           string
	Kinds         []string              // of events, as activity.Kinds has them
	Names         []string              // of events, besides the kinds; both empty: all events
	Organizations []bank.OrganizationID // empty: all, and what is the institution's own
}

// An Endpoint is where a receiver listens.
type Endpoint struct {
	Draft
	ID          ID
	Institution bank.InstitutionID
	State       State
	Created     time.Time
	Revision    int64
	OldEnds     time.Time // until when the old secret signs too; zero: there is none

	Failed       int       // attempts in a row
	FailingSince time.Time // zero: the last attempt succeeded
	Succeeded    time.Time // last; zero: never
	Answer       string    // what came of the last attempt
	Waiting      int64
	Dead         int64

	secret, oldSecret []byte // sealed
	told              time.Time
}

// A Standing is how an endpoint's deliveries fare.
type Standing string

const (
	Waiting Standing = "waiting"
	Done    Standing = "done"
	Dead    Standing = "dead" // given up; it can be sent again
)

// A Delivery is one message for one endpoint.
type Delivery struct {
	ID       string
	Name     string // of the event
	State    Standing
	Attempts int
	Due      time.Time // of the next attempt, while it waits
	Created  time.Time
	Settled  time.Time
	Answer   string // what came of the last attempt
}

var eventName = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// read puts a draft into its stored form and says everything that is wrong.
func (d Draft) read(local bool) (Draft, fault.Problems) {
	var problems fault.Problems
	d.Name, d.URL = strings.Join(strings.Fields(d.Name), " "), strings.TrimSpace(d.URL)
	switch {
	case d.Name == "":
		problems.Add("name", "Enter a name.")
	case utf8.RuneCountInString(d.Name) > maxName || strings.ContainsFunc(d.Name, unicode.IsControl):
		problems.Addf("name", "The name must have at most %d characters.", maxName)
	}
	if !goodURL(d.URL, local) {
		problems.Addf("url", "Enter an address that begins with https://, without a sign-in or a fragment, of at most %d characters.", maxURL)
	}
	d.Kinds = sorted(d.Kinds)
	for _, kind := range d.Kinds {
		if !slices.ContainsFunc(activity.Kinds(), func(k activity.Kind) bool { return k.Value == kind }) {
			problems.Add("kinds", "There is no such kind of event.")
		}
	}
	d.Names = sorted(d.Names)
	for _, name := range d.Names {
		if _, known := activity.TouchedBy(name); !known {
			problems.Addf("names", "There is no event %s.", shown(name))
		}
	}
	if len(d.Names) > maxNames {
		problems.Addf("names", "Name at most %d events.", maxNames)
	}
	d.Organizations = sorted(d.Organizations)
	if len(d.Organizations) > maxOrganizations {
		problems.Addf("organizations", "Name at most %d organizations, or none for all.", maxOrganizations)
	}
	return d, problems
}

// shown is a name that is wrong, as far as it can be repeated.
func shown(name string) string {
	if eventName.MatchString(name) && len(name) <= maxName {
		return name
	}
	return "of that name: write them like orguser.created"
}

// maxShown is how many wrong organizations a problem names.
const maxShown = 10

// strangers are the organizations of a draft that are not among those known, as
// they can be repeated.
func (d *Draft) strangers(known []bank.OrganizationID) (shown []string) {
	for _, id := range d.Organizations {
		if !slices.Contains(known, id) {
			shown = append(shown, fmt.Sprintf("%.*q", maxName, id))
		}
	}
	if more := len(shown) - maxShown; more > 0 {
		shown = append(shown[:maxShown], fmt.Sprintf("and %d more", more))
	}
	return shown
}

func sorted[T ~string](all []T) []T {
	var kept []T
	for _, one := range all {
		if one = T(strings.TrimSpace(string(one))); one != "" {
			kept = append(kept, one)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// goodURL takes addresses that are https and nothing else. Whether one lies
// inside is judged where it is called, after its name was looked up. A product
// that is served on this machine only also calls this machine.
func goodURL(text string, local bool) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && (u.Scheme == "https" || local && u.Scheme == "http" && u.Hostname() == "localhost") && u.Hostname() != "" && u.User == nil && u.Fragment == "" && u.Opaque == "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || unicode.IsControl(r) })
}

// wants reports whether an endpoint is told of an event.
func (d *Draft) wants(e *activity.Event) bool {
	if len(d.Organizations) > 0 && !slices.Contains(d.Organizations, e.Organization) {
		return false
	}
	return len(d.Kinds) == 0 && len(d.Names) == 0 || slices.Contains(d.Names, e.Name) || slices.Contains(d.Kinds, activity.KindOf(e.Name))
}

// changes are what differs from another draft, for the history.
func (d *Draft) changes(was Draft) []activity.Change {
	var all []activity.Change
	for _, c := range []activity.Change{
		{Field: "name", Old: was.Name, New: d.Name},
		{Field: "url", Old: was.URL, New: d.URL},
		{Field: "kinds", Old: strings.Join(was.Kinds, " "), New: strings.Join(d.Kinds, " ")},
		{Field: "events", Old: strings.Join(was.Names, " "), New: strings.Join(d.Names, " ")},
		{Field: "organizations", Old: joined(was.Organizations), New: joined(d.Organizations)},
	} {
		if c.Old != c.New {
			all = append(all, c)
		}
	}
	return all
}

func joined(ids []bank.OrganizationID) string {
	var all []string
	for _, id := range ids {
		all = append(all, string(id))
	}
	return strings.Join(all, " ")
}
