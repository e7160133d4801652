package grant

import (
	"slices"
	"time"

	"mandate/internal/bank"
)

// A Wish is what a product asks for when it wants somebody signed in.
type Wish struct {
	Prompts    []string       // none, login, consent, select_account
	MaxAge     *time.Duration // how old the sign-in may be; nil: as old as it is
	TwoFactors bool           // it must have been with two factors
	Expected   bank.StaffID   // who it thinks it is; empty: anybody
	Began      time.Time
	Consent    bool // people are asked before it is told anything
}

// An Ask is a product's wish as the screens need it.
type Ask struct {
	Issuer      bank.InstitutionID
	Name        string // as addresses carry it
	Application bank.ApplicationID
	Product     string
	Partner     string   // who makes it; may be empty
	Told        []string // scopes, and Groups and Permissions where it is told of them
	Wish        Wish
	Login       string // whom the product thinks it is, for the form; may be empty
}

// What an application may be told besides its scopes.
const (
	ToldGroups      = "groups"
	ToldPermissions = "permissions"
)

// An Outcome is how somebody at the door ended there.
type Outcome struct {
	Refused     string // a reason for StepRefuse; empty: they come in
	Institution bank.InstitutionID
	Staff       bank.StaffID
	SignIn      string // the record of their sign-in
	Since       time.Time
	Factor      string // the second factor they showed; empty: none
	Outside     bool   // they came through the institution's own provider
}

// A Presence is who stands at the door.
type Presence struct {
	Staff      bank.StaffID // empty: nobody is signed in
	Since      time.Time
	TwoFactors bool
	Refused    string // why they may not enter; empty: they may
	Unnamed    bool   // they have just joined, and have not said who they are
	Consented  bool
}

// A Step is what comes next at the door.
type Step uint8

// The zero step lets nobody in.
const (
	StepRefuse      Step = iota
	StepSignIn           // nobody is signed in
	StepSignInAgain      // somebody is, too long ago, or it must be seen to be them
	StepIntroduce        // they say who they are first
	StepConsent
	StepEnter
)

// Reasons for StepRefuse, by their names in the protocol.
const (
	LoginRequired       = "login_required"
	ConsentRequired     = "consent_required"
	InteractionRequired = "interaction_required"
	AccessDenied        = "access_denied"
	LevelUnmet          = "unmet_authentication_requirements"
)

// Next says what comes next, and why where it is a refusal. A product that
// wants nobody to be asked is told what would have been asked.
func Next(w Wish, p Presence, now time.Time) (Step, string) {
	step, why := next(w, p, now)
	if !slices.Contains(w.Prompts, "none") {
		return step, why
	}
	switch step {
	case StepSignIn, StepSignInAgain:
		return StepRefuse, LoginRequired
	case StepConsent:
		return StepRefuse, ConsentRequired
	case StepIntroduce:
		return StepRefuse, InteractionRequired
	}
	return step, why
}

func next(w Wish, p Presence, now time.Time) (Step, string) {
	fresh := !p.Since.Before(w.Began) // they signed in for this
	switch {
	case p.Staff == "":
		return StepSignIn, ""
	case w.Expected != "" && w.Expected != p.Staff:
		return StepSignInAgain, ""
	case !fresh && (slices.Contains(w.Prompts, "login") || slices.Contains(w.Prompts, "select_account")):
		return StepSignInAgain, ""
	case !fresh && w.MaxAge != nil && now.Sub(p.Since) > *w.MaxAge:
		return StepSignInAgain, ""
	case p.Refused != "":
		return StepRefuse, AccessDenied
	case w.TwoFactors && !p.TwoFactors:
		return StepRefuse, LevelUnmet
	case p.Unnamed:
		return StepIntroduce, ""
	case w.Consent && !p.Consented || slices.Contains(w.Prompts, "consent"):
		return StepConsent, ""
	}
	return StepEnter, ""
}
