package online

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A letter is a kind of link that people get by mail: what its pages are called
// and where they lead.
type letter struct {
	purpose identity.Purpose
	kept    string // where the browser keeps what it redeemed
	failed  string // the title of every failure
	address func(base, string) string
	finish  func(base) string
}

var invitations = letter{identity.PurposeInvitation, keptEnrolment, "Invitation link failed", base.invitation, base.enrol}

// A landingPage is where a link from a mail leads. It shows whom the link is
// about and has one button.
type landingPage struct {
	Entry   ui.Entry
	Action  string
	Nonce   string
	Again   bool // the button was pressed on another page than this browser was shown
	Title   string
	Lines   []string
	Button  string
	Expires string
}

// landing shows a link and changes nothing: not by GET, not by HEAD, however
// often and by whatever scanner.
//
// GET /{institution}/invitation/{token}
// GET /{institution}/password-reset/{token}
func (a *app) landing(l letter) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, err := a.house(r)
		if err != nil {
			return err
		}
		return a.renderLanding(w, r, l, i, false)
	}
}

func (a *app) renderLanding(w http.ResponseWriter, r *http.Request, l letter, i usermgmt.Institution, again bool) error {
	token := r.PathValue("token")
	e, err := a.identity.Look(r.Context(), i.ID, l.purpose, identity.Secret(token))
	if linkCode(err) != "" {
		return a.renderLinkFailure(w, r, l, i, e, err)
	}
	if err != nil {
		return err
	}
	binding := a.site.Kept(r, keptLink)
	if binding == "" {
		binding = rand.Text()
		a.site.Keep(w, keptLink, binding, linkSeconds)
	}
	page := landingPage{
		Action: l.address(baseFor(i.ID), token), Nonce: nonceOf(binding, l, token), Again: again,
		Expires: ui.DateTime(e.Link.Expires, placeOf(i)),
	}
	if l.purpose == identity.PurposeInvitation {
		page.Title, page.Button = "Join "+e.Person.OrganizationName, "Join"
		page.Lines = []string{
			ui.Ended(e.Link.AskedBy + " invited you to use online banking for " + e.Person.OrganizationName + " at " + i.Name),
			"You choose a username and a password next.",
		}
	} else {
		page.Title, page.Button = "Reset your password", "Reset password"
		page.Lines = []string{
			ui.Ended("A new password was asked for your sign-in to " + e.Person.OrganizationName + " at " + i.Name),
			"If it was not you, close this page: your password stays as it is.",
		}
	}
	page.Entry = a.entry(i, page.Title)
	status := http.StatusOK
	if again {
		status = http.StatusConflict
	}
	return web.Render(w, r, status, landingView(page))
}

// nonceOf ties the button of a page to the browser that was shown it, and to
// the link.
func nonceOf(binding string, l letter, token string) string {
	mac := hmac.New(sha256.New, []byte(binding))
	mac.Write([]byte(string(l.purpose) + "\x00" + token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// redeem uses a link up, for the browser whose button was pressed.
//
// POST /{institution}/invitation/{token}
// POST /{institution}/password-reset/{token}
func (a *app) redeem(l letter) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, err := a.house(r)
		if err != nil {
			return err
		}
		f, token, binding := web.ReadForm(r), r.PathValue("token"), a.site.Kept(r, keptLink)
		if binding == "" || !hmac.Equal([]byte(f.Raw("nonce")), []byte(nonceOf(binding, l, token))) {
			return a.renderLanding(w, r, l, i, true)
		}
		browser, e, err := a.identity.Redeem(r.Context(), i.ID, l.purpose, identity.Secret(token), a.source(r))
		if linkCode(err) != "" {
			return a.renderLinkFailure(w, r, l, i, e, err)
		}
		if err != nil {
			return err
		}
		a.site.Keep(w, l.kept, string(browser), redeemedSeconds)
		http.Redirect(w, r, l.finish(baseFor(i.ID)), http.StatusSeeOther)
		return nil
	}
}

// linkCode says which failure of a link an error is; empty where it is none.
func linkCode(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && strings.HasPrefix(f.Code, "LINK_") {
		return f.Code
	}
	return ""
}

// A linkFailurePage says which failure of a link it was, and what to do.
type linkFailurePage struct {
	Entry   ui.Entry
	Refusal ui.Refusal
	Actions []ui.Action
	Want    string // where a new invitation is asked for; empty where that is of no use
}

func (a *app) renderLinkFailure(w http.ResponseWriter, r *http.Request, l letter, i usermgmt.Institution, e identity.Enrolment, failure error) error {
	page := linkFailurePage{Entry: a.entry(i, l.failed), Refusal: ui.Refusal{Icon: "link", Title: l.failed}}
	b := baseFor(i.ID)
	code := linkCode(failure)
	if l.purpose == identity.PurposeInvitation {
		page.Refusal.Text, page.Refusal.Who, page.Actions = invitationFailure(b, i, code, e)
	} else {
		page.Refusal.Text, page.Refusal.Who, page.Actions = resetFailure(b, i, code, e)
	}
	if code == "LINK_USED" {
		if _, err := a.identity.Resume(r.Context(), i.ID, l.purpose, a.kept(r, l.kept)); err == nil {
			page.Refusal.Who = "You have not finished yet. You can go on in this browser."
			page.Actions = []ui.Action{{Label: "Go on", Variant: ui.Primary, Href: l.finish(b)}}
			e = identity.Enrolment{} // nothing else is wanted
		}
	}
	if token := r.PathValue("token"); token != "" && e.Link.Wanting() {
		page.Want = b.wantInvitation(token)
	}
	status := http.StatusGone
	if code == "LINK_UNKNOWN" {
		status = http.StatusNotFound
	}
	return web.Render(w, r, status, linkFailureView(page))
}

// invitationFailure says what became of an invitation and what to do about it.
func invitationFailure(b base, i usermgmt.Institution, code string, e identity.Enrolment) (text, what string, actions []ui.Action) {
	who := "the admin who invited you"
	if e.Link.AskedBy != "" {
		who = e.Link.AskedBy
	}
	signIn := ui.Action{Label: "Sign in", Variant: ui.Primary, Href: b.signIn()}
	switch code {
	case "LINK_EXPIRED":
		if !e.Link.Redeemed.IsZero() {
			return "The half hour for creating your account is over, and this invitation is used up.", "Ask " + who + " to send you a new one.", nil
		}
		return "This invitation expired on " + ui.DateTime(e.Link.Expires, placeOf(i)) + ". Invitations last seven days.", "Ask " + who + " to send you a new one.", nil
	case "LINK_REPLACED":
		return "A newer invitation has replaced this one.", "Look for the newest email from " + i.Name + " and open the link in it.", nil
	case "LINK_CANCELLED":
		return "This invitation was cancelled.", "Ask " + who + " if you think that this is a mistake.", nil
	case "LINK_USED":
		return "This invitation has already been used.",
			"If you created your account, sign in. If you did not finish, or somebody else opened the link, ask " + who + " to send you a new one.",
			[]ui.Action{signIn}
	}
	return "This link is not complete, or it never was one of ours.", "Open the invitation in your email again, and copy the whole link if you copy it.", nil
}

// wantInvitation asks the admins for a new invitation in the name of somebody
// whose own failed.
//
// POST /{institution}/invitation/{token}/want
func (a *app) wantInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := a.house(r)
	if err != nil {
		return err
	}
	token := identity.Secret(r.PathValue("token"))
	err = a.identity.WantInvitation(r.Context(), i.ID, token, a.source(r))
	switch code := linkCode(err); {
	case code == "LINK_WORKS":
		http.Redirect(w, r, baseFor(i.ID).invitation(string(token)), http.StatusSeeOther)
		return nil
	case code != "":
		return a.renderLinkFailure(w, r, invitations, i, identity.Enrolment{}, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, baseFor(i.ID).wanted(), http.StatusSeeOther)
	return nil
}

// GET /{institution}/invitation-wanted
func (a *app) wantedPage(w http.ResponseWriter, r *http.Request) error {
	i, err := a.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, doneView(donePage{
		Entry: a.entry(i, "Your admins were asked"), Title: "Your admins were asked",
		Text: "The admins of your organization read that you want a new invitation. Whether they send one is theirs to decide; watch your email.",
	}))
}
