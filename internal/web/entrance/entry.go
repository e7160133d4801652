package entrance

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/identity"
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

func (b Base) invitation(token string) string     { return b.At("/invitation/" + url.PathEscape(token)) }
func (b Base) wantInvitation(token string) string { return b.invitation(token) + "/want" }
func (b Base) wanted() string                     { return b.At("/invitation-wanted") }
func (b Base) resetLink(token string) string {
	return b.At("/password-reset/" + url.PathEscape(token))
}
func (b Base) enrol() string       { return b.At("/enrol") }
func (b Base) newPassword() string { return b.At("/new-password") }
func (b Base) forgot() string      { return b.At("/forgot") }
func (b Base) second() string      { return b.At("/sign-in/second") }
func (b Base) firstFactor() string { return b.At("/sign-in/factor") }

// entryRoutes are the addresses for people who have not signed in: links from
// mail, forgotten passwords, the second step of a sign-in.
func (d *Door) entryRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	records := func(event string) web.Needs {
		needs := anybody
		needs.Event = event
		return needs
	}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/invitation/{token}", Handler: d.landing(invitations), Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/invitation/{token}", Handler: d.redeem(invitations), Needs: records(d.event("invite_opened"))},
		{Method: "POST", Pattern: "/{institution}/invitation/{token}/want", Handler: d.wantInvitation, Needs: records(d.event("invite_requested"))},
		{Method: "GET", Pattern: "/{institution}/invitation-wanted", Handler: d.wantedPage, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/enrol", Handler: d.enrolPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/enrol", Handler: d.enrol, Needs: records(d.event("credentials_created"))},
		{Method: "POST", Pattern: "/{institution}/enrol/rules", Handler: d.enrolRules, Needs: anybody},

		{Method: "GET", Pattern: "/{institution}/forgot", Handler: d.forgotPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/forgot", Handler: d.forgot, Needs: records(d.event("password_reset_sent"))},
		{Method: "GET", Pattern: "/{institution}/password-reset/{token}", Handler: d.landing(resets), Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/password-reset/{token}", Handler: d.redeem(resets), Needs: records(d.event("password_reset_opened"))},
		{Method: "GET", Pattern: "/{institution}/new-password", Handler: d.resetPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/new-password", Handler: d.reset, Needs: records(d.event("password_reset_completed"))},
		{Method: "POST", Pattern: "/{institution}/new-password/rules", Handler: d.resetRules, Needs: anybody},

		{Method: "GET", Pattern: "/{institution}/sign-in/second", Handler: d.secondPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/second", Handler: d.second, Needs: records("auth.signin_succeeded")},
		{Method: "POST", Pattern: "/{institution}/sign-in/second/ask", Handler: d.askSecond, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/sign-in/factor", Handler: d.firstFactorPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/app", Handler: d.firstApp, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/app/confirm", Handler: d.confirmFirstApp, Needs: records("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/passkey", Handler: d.firstPasskey, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/factor/passkey/finish", Handler: d.finishFirstPasskey, Needs: records("auth.second_factor_added")},
	}
}

// event is the history event of a name, of the people whose entrance it is.
func (d *Door) event(name string) string {
	if d.Kind == identity.KindStaff {
		return "staff." + name
	}
	return "orguser." + name
}

// kept is a secret that this browser keeps.
func (d *Door) kept(r *http.Request, what string) identity.Secret {
	return identity.Secret(d.Site.Kept(r, what))
}
