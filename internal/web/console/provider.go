package console

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Outside is the way in through an institution's own provider, and what whoever
// connects one must know.
type Outside interface {
	entrance.Outside

	// Try reads what a provider says of itself.
	Try(ctx context.Context, issuer string) error
	// Callback is where its people come back, which it must know.
	Callback(bank.InstitutionID) string
}

// doorOutside is the way as the door needs it; there may be none.
func doorOutside(o Outside) entrance.Outside {
	if o == nil {
		return nil
	}
	return o
}

func (b base) provider() string { return b.at("/settings/provider") }

// providerFacts say on the overview which provider there is.
func (a *app) providerFacts(r *http.Request) ([]ui.Fact, error) {
	if a.Outside == nil {
		return nil, nil
	}
	p, err := a.Staff.Provider(r.Context(), web.CallerOf(r.Context()))
	if err != nil || p.Version == 0 {
		return []ui.Fact{{Term: "Provider", Value: "None; everybody signs in here with a password"}}, err
	}
	return []ui.Fact{{Term: "Provider", Value: p.Label}, {Term: "Issuer", Value: p.Issuer}, {Term: "Its second factor", Value: countsWords(p)}}, nil
}

func countsWords(p identity.Provider) string {
	if p.Factors == "" {
		return "Does not count"
	}
	return "Counts, where it says " + p.Factors
}

type providerPage struct {
	Shell                           ui.Shell
	Form                            *web.Form
	Action, Cancel, Remove          string
	Version, Callback               string
	Label, Issuer, Client, Secret   ui.Field
	Subject, Email, Vouches, Counts ui.Field
}

// GET /{institution}/settings/provider
func (a *app) providerPage(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Staff.Provider(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	values := map[string]string{"label": p.Label, "issuer": p.Issuer, "client_id": p.ClientID, "subject_claim": p.SubjectClaim,
		"email_claim": p.EmailClaim, "factors": p.Factors, "version": strconv.FormatInt(p.Version, 10)}
	if p.Vouches {
		values["vouches"] = "on"
	}
	if p.Version == 0 {
		values["subject_claim"], values["email_claim"] = "sub", "email"
	}
	return a.renderProvider(w, r, web.NewForm(values))
}

func (a *app) renderProvider(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	b := baseOf(r)
	page := providerPage{Form: f, Action: b.provider(), Cancel: b.settings(), Version: f.Raw("version"), Callback: a.Outside.Callback(web.CallerOf(r.Context()).Institution),
		Label: f.Field("label", "Name"), Issuer: f.Field("issuer", "Issuer"), Client: f.Field("client_id", "Client id"), Secret: f.Field("secret", "Client secret"),
		Subject: f.Field("subject_claim", "Claim that names a person"), Email: f.Field("email_claim", "Claim with their address"),
		Vouches: f.Field("vouches", "It vouches for every address that it says"), Counts: f.Field("factors", "Words that count as a second factor")}
	page.Label.Help = "As people know it. The button says “Continue with …”."
	page.Issuer.Help = "Exactly as the provider writes it, such as https://id.bank.example."
	page.Client.Help = "What the provider calls Mandate."
	page.Secret.Help, page.Secret.Autocomplete = "Kept sealed, and never shown again.", "off"
	page.Subject.Help = "It must never change or be given to somebody else. Nearly always sub."
	page.Email.Help = "It links somebody once, at their first sign-in, with the user who has this address here. Later changes mean nothing."
	page.Vouches.Help = "Tick this only where the provider lets nobody choose their own address, and says nothing of having checked it."
	page.Counts.Help, page.Counts.Optional = "What it says in amr or acr of a sign-in with a second factor, with blanks between: mfa hwk. Empty: a second factor is asked for here, where one is needed.", true
	if page.Version != "0" {
		page.Secret.Optional, page.Remove = true, b.provider()+"/remove"
		page.Secret.Help += " Empty: it stays as it is."
	}
	var err error
	if page.Shell, err = a.ownShell(r, "Outside provider", settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), providerView(page))
}

func readProvider(f *web.Form) identity.Provider {
	return identity.Provider{Label: f.Raw("label"), Issuer: f.Raw("issuer"), ClientID: f.Raw("client_id"), SubjectClaim: f.Raw("subject_claim"),
		EmailClaim: f.Raw("email_claim"), Vouches: f.Checked("vouches"), Factors: f.Raw("factors")}
}

// saveProvider connects a provider or changes it, if it can be read at all.
//
// POST /{institution}/settings/provider
func (a *app) saveProvider(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	will := readProvider(f)
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		version = -1 // no provider has that
	}
	was, err := a.Staff.Provider(r.Context(), caller)
	if err != nil {
		return err
	}
	text := "Before you change through whom staff sign in."
	if was.Version == 0 {
		text = "Before you connect a provider. From then on signing in takes a right: every group gets the one to sign in here, and you can take it away after."
	}
	return a.provenSetting(w, r, f, text, "The provider was saved",
		func() error { return a.renderProvider(w, r, f) },
		func() error {
			if problems := will.Check(); len(problems) == 0 && will.Issuer != was.Issuer {
				if err := a.Outside.Try(r.Context(), will.Issuer); err != nil {
					return err
				}
			}
			return a.Staff.SetProvider(r.Context(), caller, version, will, identity.Secret(f.Raw("secret")))
		})
}

// GET /{institution}/settings/provider/remove
func (a *app) askRemoveProvider(w http.ResponseWriter, r *http.Request) error {
	b := baseOf(r)
	p, err := a.Staff.Provider(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	if p.Version == 0 {
		return fault.New(fault.NotFound, "There is no outside provider. It may have been removed.")
	}
	shell, err := a.ownShell(r, "Remove "+p.Label, settingsCrumb(b), ui.Link{Label: "Outside provider", Href: b.provider()})
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, ui.Confirmation{
		Title: "Remove " + p.Label + "?", Action: b.provider() + "/remove", Cancel: b.provider(), Confirm: ui.Action{Label: "Remove provider", Variant: ui.Danger},
		Text: "Whoever came in through it is signed out at once. From then on everybody signs in here with a password, whatever their groups permit; whoever has none makes one by “Forgot your password?”.",
	}, nil, func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/settings/provider/remove
func (a *app) removeProvider(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	return a.provenSetting(w, r, f, "Before nobody signs in through the provider any more.", "The provider was removed",
		func() error { return a.providerPage(w, r) },
		func() error { return a.Staff.RemoveProvider(r.Context(), web.CallerOf(r.Context())) })
}
