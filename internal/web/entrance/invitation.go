package entrance

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
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A letter is a kind of link that people get by mail: what its pages are called
// and where they lead.
type letter struct {
	purpose identity.Purpose
	kept    string // where the browser keeps what it redeemed
	failed  string // the title of every failure
	address func(Base, string) string
	finish  func(Base) string
}

var invitations = letter{identity.PurposeInvitation, keptEnrolment, "Invitation link failed", Base.invitation, Base.enrol}

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
func (d *Door) landing(l letter) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, err := d.house(r)
		if err != nil {
			return err
		}
		return d.renderLanding(w, r, l, i, false)
	}
}

func (d *Door) renderLanding(w http.ResponseWriter, r *http.Request, l letter, i House, again bool) error {
	token := r.PathValue("token")
	e, err := d.Identity.Look(r.Context(), i.ID, l.purpose, identity.Secret(token))
	if linkCode(err) != "" {
		return d.renderLinkFailure(w, r, l, i, e, err)
	}
	if err != nil {
		return err
	}
	binding := d.Site.Kept(r, keptLink)
	if binding == "" {
		binding = rand.Text()
		d.Site.Keep(w, keptLink, binding, linkSeconds)
	}
	page := landingPage{
		Action: l.address(BaseFor(i.ID), token), Nonce: nonceOf(binding, l, token), Again: again,
		Expires: ui.DateTime(e.Link.Expires, i.Place),
	}
	of, at := e.Person.OrganizationName, e.Person.OrganizationName+" at "+i.Name
	invited := e.Link.AskedBy + " invited you to use online banking for " + at
	if d.Kind == identity.KindStaff {
		of, at = i.Name, i.Name
		invited = e.Link.AskedBy + " invited you to the " + d.App + " of " + i.Name
	}
	if l.purpose == identity.PurposeInvitation {
		page.Title, page.Button = "Join "+of, "Join"
		page.Lines = []string{
			ui.Ended(invited),
			d.words.chooses,
		}
	} else {
		page.Title, page.Button = "Reset your password", "Reset password"
		page.Lines = []string{
			ui.Ended("A new password was asked for your sign-in to " + at),
			"If it was not you, close this page: your password stays as it is.",
		}
	}
	page.Entry = d.entry(i, page.Title)
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
func (d *Door) redeem(l letter) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, err := d.house(r)
		if err != nil {
			return err
		}
		f, token, binding := web.ReadForm(r), r.PathValue("token"), d.Site.Kept(r, keptLink)
		if binding == "" || !hmac.Equal([]byte(f.Raw("nonce")), []byte(nonceOf(binding, l, token))) {
			return d.renderLanding(w, r, l, i, true)
		}
		browser, e, err := d.Identity.Redeem(r.Context(), i.ID, l.purpose, identity.Secret(token), d.Source(r))
		if linkCode(err) != "" {
			return d.renderLinkFailure(w, r, l, i, e, err)
		}
		if err != nil {
			return err
		}
		d.Site.Keep(w, l.kept, string(browser), redeemedSeconds)
		http.Redirect(w, r, l.finish(BaseFor(i.ID)), http.StatusSeeOther)
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

func (d *Door) renderLinkFailure(w http.ResponseWriter, r *http.Request, l letter, i House, e identity.Enrolment, failure error) error {
	page := linkFailurePage{Entry: d.entry(i, l.failed), Refusal: ui.Refusal{Icon: "link", Title: l.failed}}
	b := BaseFor(i.ID)
	code := linkCode(failure)
	if l.purpose == identity.PurposeInvitation {
		page.Refusal.Text, page.Refusal.Who, page.Actions = d.invitationFailure(b, i, code, e)
	} else {
		page.Refusal.Text, page.Refusal.Who, page.Actions = d.resetFailure(b, i, code, e)
	}
	if code == "LINK_USED" {
		if _, err := d.Identity.Resume(r.Context(), i.ID, l.purpose, d.kept(r, l.kept)); err == nil {
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
func (d *Door) invitationFailure(b Base, i House, code string, e identity.Enrolment) (text, what string, actions []ui.Action) {
	who := d.words.helper
	if e.Link.AskedBy != "" {
		who = e.Link.AskedBy
	}
	signIn := ui.Action{Label: "Sign in", Variant: ui.Primary, Href: b.SignIn()}
	switch code {
	case "LINK_EXPIRED":
		if !e.Link.Redeemed.IsZero() {
			return "The half hour for creating your account is over, and this invitation is used up.", "Ask " + who + " to send you a new one.", nil
		}
		return "This invitation expired on " + ui.DateTime(e.Link.Expires, i.Place) + ". Invitations last seven days.", "Ask " + who + " to send you a new one.", nil
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
func (d *Door) wantInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	token := identity.Secret(r.PathValue("token"))
	err = d.Identity.WantInvitation(r.Context(), i.ID, token, d.Source(r))
	switch code := linkCode(err); {
	case code == "LINK_WORKS":
		http.Redirect(w, r, BaseFor(i.ID).invitation(string(token)), http.StatusSeeOther)
		return nil
	case code != "":
		return d.renderLinkFailure(w, r, invitations, i, identity.Enrolment{}, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, BaseFor(i.ID).wanted(), http.StatusSeeOther)
	return nil
}

// GET /{institution}/invitation-wanted
func (d *Door) wantedPage(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, doneView(donePage{
		Entry: d.entry(i, d.words.wantedTitle), Title: d.words.wantedTitle,
		Text: d.words.wanted,
	}))
}
