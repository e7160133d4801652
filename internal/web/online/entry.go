package online

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"mandate/internal/bank"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// Doors is what the screens before a sign-in need of the room of proving who
// somebody is.
type Doors interface {
	Look(context.Context, bank.InstitutionID, identity.Purpose, identity.Secret) (identity.Enrolment, error)
	Redeem(context.Context, bank.InstitutionID, identity.Purpose, identity.Secret, identity.Source) (identity.Secret, identity.Enrolment, error)
	Resume(context.Context, bank.InstitutionID, identity.Purpose, identity.Secret) (identity.Enrolment, error)
	WantInvitation(context.Context, bank.InstitutionID, identity.Secret, identity.Source) error
	Enrol(ctx context.Context, institution bank.InstitutionID, browser identity.Secret, username string, password identity.Secret, from identity.Source) error
	ResetPassword(ctx context.Context, institution bank.InstitutionID, browser, password identity.Secret, from identity.Source) error
	Forgot(context.Context, identity.Forgotten) error
	Waiting(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Session, []identity.Method, error)
	AskPasskeyToSignIn(context.Context, bank.InstitutionID, identity.Secret) ([]byte, error)
	SecondFactor(context.Context, bank.InstitutionID, identity.Secret, identity.Answer, identity.Source) (identity.Granted, error)
	FinishEnrolment(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Granted, error)
}

// What a browser keeps besides its sign-in.
const (
	keptLink      = "link"      // ties the button of a link's page to the browser that was shown it
	keptEnrolment = "enrolment" // a redeemed invitation
	keptReset     = "reset"     // a redeemed password reset
	keptWaiting   = "waiting"   // a sign-in whose password was right
	keptDevice    = "device"    // by which the browser is known again
)

const (
	linkSeconds     = 60 * 60
	redeemedSeconds = 30 * 60 // as long as identity lets the browser finish
	waitingSeconds  = 10 * 60
	deviceSeconds   = 400 * 24 * 60 * 60 // browsers keep nothing longer
)

func (b base) invitation(token string) string     { return b.at("/invitation/" + url.PathEscape(token)) }
func (b base) wantInvitation(token string) string { return b.invitation(token) + "/want" }
func (b base) wanted() string                     { return b.at("/invitation-wanted") }
func (b base) resetLink(token string) string {
	return b.at("/password-reset/" + url.PathEscape(token))
}
func (b base) enrol() string       { return b.at("/enrol") }
func (b base) newPassword() string { return b.at("/new-password") }
func (b base) forgot() string      { return b.at("/forgot") }
func (b base) second() string      { return b.at("/sign-in/second") }
func (b base) firstFactor() string { return b.at("/sign-in/factor") }

// entryRoutes are the addresses for people who have not signed in: links from
// mail, forgotten passwords, the second step of a sign-in.
func (a *app) entryRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	records := func(event string) web.Needs {
		needs := anybody
		needs.Event = event
		return needs
	}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/invitation/{token}", Handler: a.landing(invitations), Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/invitation/{token}", Handler: a.redeem(invitations), Needs: records("orguser.invite_opened")},
		{Method: "POST", Pattern: "/{institution}/invitation/{token}/want", Handler: a.wantInvitation, Needs: records("orguser.invite_requested")},
		{Method: "GET", Pattern: "/{institution}/invitation-wanted", Handler: a.wantedPage, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/enrol", Handler: a.enrolPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/enrol", Handler: a.enrol, Needs: records("orguser.credentials_created")},
		{Method: "POST", Pattern: "/{institution}/enrol/rules", Handler: a.enrolRules, Needs: anybody},

		{Method: "GET", Pattern: "/{institution}/forgot", Handler: a.forgotPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/forgot", Handler: a.forgot, Needs: records("orguser.password_reset_sent")},
		{Method: "GET", Pattern: "/{institution}/password-reset/{token}", Handler: a.landing(resets), Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/password-reset/{token}", Handler: a.redeem(resets), Needs: records("orguser.password_reset_opened")},
		{Method: "GET", Pattern: "/{institution}/new-password", Handler: a.resetPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/new-password", Handler: a.reset, Needs: records("orguser.password_reset_completed")},
		{Method: "POST", Pattern: "/{institution}/new-password/rules", Handler: a.resetRules, Needs: anybody},

		{Method: "GET", Pattern: "/{institution}/sign-in/second", Handler: a.secondPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/second", Handler: a.second, Needs: records("auth.signin_succeeded")},
		{Method: "POST", Pattern: "/{institution}/sign-in/second/ask", Handler: a.askSecond, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/sign-in/factor", Handler: a.firstFactorPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/app", Handler: a.firstApp, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/app/confirm", Handler: a.confirmFirstApp, Needs: records("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/passkey", Handler: a.firstPasskey, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/passkey/finish", Handler: a.finishFirstPasskey, Needs: records("auth.second_factor_added")},
	}
}

// house is the institution that the path names.
func (a *app) house(r *http.Request) (usermgmt.Institution, error) {
	return a.users.Institution(r.Context(), baseOf(r).institution())
}

// placeOf is where an institution's day begins and ends.
func placeOf(i usermgmt.Institution) *time.Location {
	place, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return time.UTC
	}
	return place
}

// kept is a secret that this browser keeps.
func (a *app) kept(r *http.Request, what string) identity.Secret {
	return identity.Secret(a.site.Kept(r, what))
}
