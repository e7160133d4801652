package application_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

func TestAnApplicationLivesAndEnds(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		var made application.Application
		var first identity.Secret
		w.must(w.proving(application.EventCreated, func() (err error) {
			made, first, err = w.s.Create(ctx, manager, ledger())
			return err
		}))
		a := w.get(made.ID)
		now := dbtest.ClockOf(t, w.d).Now()
		if !a.Proves(first, now) || a.Proves("ms_wrong", now) || a.Proves("", now) || a.Name != "Ledger" || !a.Can(application.GrantCode) || a.Can(application.GrantRefresh) {
			t.Errorf("the application that was made: %+v", a)
		}
		if _, err := w.s.Lookup(ctx, oak, made.ID); !errors.Is(err, application.ErrNone) {
			t.Errorf("at another institution: %v", err)
		}
		d := a.Draft
		d.Name, d.Redirects = "General ledger", append(d.Redirects, "http://localhost:9000/return")
		w.must(w.proving(application.EventChanged, func() error { _, err := w.s.Edit(ctx, manager, made.ID, 1, d); return err }))
		_, err := w.s.Edit(ctx, manager, made.ID, 1, d)
		w.code(err, "STALE")
		d.Name = "Ledger"
		if _, err := w.s.Edit(ctx, manager, made.ID, 2, d); err != nil {
			t.Errorf("a new name needs no high-risk authorization: %v", err)
		}
		d.Enabled = false
		if _, err := w.s.Edit(ctx, manager, made.ID, 3, d); err != nil {
			t.Errorf("switching it off needs none: %v", err)
		}
		d.Enabled = true
		w.must(w.proving(application.EventChanged, func() error { _, err := w.s.Edit(ctx, manager, made.ID, 4, d); return err }))
		w.must(w.proving(application.EventDeleted, func() error { return w.s.Delete(ctx, manager, made.ID) }))
		if _, err := w.s.Get(ctx, manager, made.ID); !errors.Is(err, application.ErrNone) {
			t.Errorf("after the deletion: %v", err)
		}
		got := w.history(cedar)
		for _, want := range []string{
			"external_app.created Ledger name=>Ledger partner=>Northwind Software method=>client_secret_basic grants=>authorization_code redirects=>https://ledger.example/return scopes=>openid email enabled=false>true",
			"external_app.changed General ledger name=Ledger>General ledger redirects=https://ledger.example/return>https://ledger.example/return http://localhost:9000/return",
			"external_app.changed Ledger name=General ledger>Ledger",
			"external_app.changed Ledger enabled=true>false", "external_app.changed Ledger enabled=false>true",
			"external_app.deleted Ledger name=Ledger>",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("the history lacks %q; it is\n%s", want, got)
			}
		}
		if n := strings.Count(got, "\n") + 1; n != 6 {
			t.Errorf("%d events of six changes:\n%s", n, got)
		}
		if strings.Contains(got, string(first)) {
			t.Error("the secret is in the history")
		}
	})
}

func TestTwoSecretsWorkWhileOneIsReplaced(t *testing.T) {
	each(t, func(w *world) {
		ctx, clock := t.Context(), dbtest.ClockOf(t, w.d)
		made, first, err := w.s.Create(ctx, operator, ledger())
		w.must(err)
		rotate := func(overlap time.Duration) (secret identity.Secret) {
			w.must(w.proving(application.EventRotated, func() (err error) {
				secret, err = w.s.Rotate(ctx, manager, made.ID, overlap)
				return err
			}))
			return secret
		}
		works := func(secrets ...identity.Secret) (all string) {
			a := w.get(made.ID)
			for _, s := range secrets {
				all += fmt.Sprint(a.Proves(s, clock.Now())) + " "
			}
			return strings.TrimSpace(all)
		}
		second := rotate(time.Hour)
		if got := works(first, second); got != "true true" {
			t.Errorf("within the overlap: %s", got)
		}
		clock.Advance(time.Hour - time.Microsecond)
		if got := works(first, second); got != "true true" {
			t.Errorf("at its last moment: %s", got)
		}
		clock.Advance(time.Microsecond)
		if got := works(first, second); got != "false true" {
			t.Errorf("after the overlap: %s", got)
		}
		third := rotate(time.Hour)
		fourth := rotate(time.Hour)
		if got := works(second, third, fourth); got != "false true true" {
			t.Errorf("two at most: %s", got)
		}
		if fifth := rotate(0); works(fourth, fifth) != "false true" {
			t.Error("one that is replaced at once still works")
		}
		if _, err := w.s.Rotate(ctx, manager, made.ID, application.MaxOverlap+1); fields(err) != "overlap" {
			t.Errorf("too long: %v", err)
		}
		if got := w.history(cedar); !strings.Contains(got, "external_app.secret_rotated Ledger old_secret_ends=>at once") {
			t.Errorf("history:\n%s", got)
		}
	})
}

// An application that begins to sign loses its secrets, and one that stops gets
// one.
func TestTheWayOfProvingChanges(t *testing.T) {
	each(t, func(w *world) {
		ctx, now := t.Context(), dbtest.ClockOf(t, w.d).Now()
		made, first, err := w.s.Create(ctx, operator, ledger())
		w.must(err)
		d := made.Draft
		d.Method, d.Keys = application.PrivateKey, publicPEM(t)
		secret, err := w.s.Edit(ctx, operator, made.ID, 1, d)
		w.must(err)
		a := w.get(made.ID)
		if secret != "" || a.Proves(first, now) || a.Proves("", now) || len(a.PublicKeys()) != 1 || a.PublicKeys()[0].Kind != "EC, P-256" {
			t.Errorf("once it signs: secret %q, %+v", string(secret), a.PublicKeys())
		}
		_, err = w.s.Rotate(ctx, operator, made.ID, 0)
		w.code(err, "NO_SECRET")
		d = a.Draft
		d.Method, d.Keys = application.SecretPost, ""
		secret, err = w.s.Edit(ctx, operator, made.ID, 2, d)
		w.must(err)
		if now := w.get(made.ID); !now.Proves(secret, dbtest.ClockOf(t, w.d).Now()) {
			t.Error("the new secret does not work")
		}
	})
}

func TestOnlyWhoMayManagesApplications(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		made, _, err := w.s.Create(ctx, operator, ledger())
		w.must(err)
		strangers := map[string]bank.Caller{
			"a teller": teller, "the system": bank.System(cedar),
			"a member":  {Kind: bank.ActorMember, ID: "dana", Institution: cedar, Organization: "acme"},
			"a program": {Kind: bank.ActorClient, ID: "cli_1", Institution: cedar},
		}
		for name, caller := range strangers {
			for verb, try := range map[string]func() error{
				"lists":   func() error { _, err := w.s.List(ctx, caller, application.Query{}); return err },
				"reads":   func() error { _, err := w.s.Get(ctx, caller, made.ID); return err },
				"creates": func() error { _, _, err := w.s.Create(ctx, caller, ledger()); return err },
				"edits":   func() error { _, err := w.s.Edit(ctx, caller, made.ID, 1, made.Draft); return err },
				"rotates": func() error { _, err := w.s.Rotate(ctx, caller, made.ID, 0); return err },
				"deletes": func() error { return w.s.Delete(ctx, caller, made.ID) },
			} {
				if err := try(); fault.KindOf(err) != fault.Forbidden && fault.KindOf(err) != fault.NotFound {
					t.Errorf("%s %s: %v", name, verb, err)
				}
			}
		}
		if got := w.history(cedar); strings.Count(got, "(STAFF_PERMISSION)") != 4 {
			t.Errorf("not every refused change is recorded:\n%s", got)
		}
		other := operator
		other.Institution = oak
		if err := w.s.Delete(ctx, other, made.ID); !errors.Is(err, application.ErrNone) {
			t.Errorf("from another institution: %v", err)
		}
	})
}

// Whoever chooses for whom a service acts, changes such a service or gets its
// secret would hold that user's rights.
func TestAServiceLendsNobodyMoreThanTheyHold(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		service := application.Draft{Name: "Night batch", Method: application.SecretPost, Grants: []application.Grant{application.GrantService}, Scopes: []string{"scim"}, ServiceEmail: "above@cedar.example", Enabled: true}
		_, _, err := w.s.Create(ctx, manager, service)
		w.code(err, "ABOVE_OWN")
		made, _, err := w.s.Create(ctx, operator, service)
		w.must(err)
		if got := w.get(made.ID); got.Service != "above" || got.ServiceEmail != "above@cedar.example" {
			t.Errorf("it acts for %q, %q", got.Service, got.ServiceEmail)
		}
		_, err = w.s.Rotate(ctx, manager, made.ID, 0)
		w.code(err, "ABOVE_OWN")
		service.ServiceEmail = "teller@cedar.example"
		_, err = w.s.Edit(ctx, manager, made.ID, 1, service)
		w.code(err, "ABOVE_OWN")
		service.ServiceEmail = "above@cedar.example"
		service.Name = "Batch"
		_, err = w.s.Edit(ctx, manager, made.ID, 1, service)
		w.code(err, "ABOVE_OWN")
	})
}

// Where people choose their institution, an application belongs to none; only
// the operator makes such.
func TestAnApplicationOfNoInstitution(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		made, secret, err := w.s.Create(ctx, neutral, ledger())
		w.must(err)
		found, err := w.s.Lookup(ctx, "", made.ID)
		w.must(err)
		if !found.Proves(secret, dbtest.ClockOf(t, w.d).Now()) {
			t.Error("its secret does not work")
		}
		if _, err := w.s.Get(ctx, manager, made.ID); !errors.Is(err, application.ErrNone) {
			t.Errorf("staff of an institution read it: %v", err)
		}
		if got := w.history(""); !strings.HasPrefix(got, "external_app.created Ledger") {
			t.Errorf("its history: %s", got)
		}
		service := application.Draft{Name: "Batch", Method: application.SecretPost, Grants: []application.Grant{application.GrantService}, ServiceEmail: "teller@cedar.example"}
		if _, _, err := w.s.Create(ctx, neutral, service); fields(err) != "grants" {
			t.Errorf("a service of no institution: %v", err)
		}
	})
}

func TestLists(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		var last bank.ApplicationID
		for _, name := range []string{"Émile 100%", "beta", "Alpha"} {
			d := ledger()
			d.Name = name
			if name == "beta" {
				d.Partner = "Contoso"
			}
			made, _, err := w.s.Create(ctx, operator, d)
			w.must(err)
			last = made.ID
		}
		names := func(q application.Query) string {
			page, err := w.s.List(ctx, manager, q)
			w.must(err)
			var all []string
			for _, a := range page.Applications {
				all = append(all, a.Name)
			}
			return strings.Join(all, ",")
		}
		for _, test := range []struct {
			q    application.Query
			want string
		}{
			{application.Query{}, "Alpha,beta,Émile 100%"},
			{application.Query{Search: "ÉMI"}, "Émile 100%"},
			{application.Query{Search: "%"}, "Émile 100%"},
			{application.Query{Search: "contos"}, "beta"},
			{application.Query{Search: string(last)}, "Alpha"},
			{application.Query{Search: "app_"}, ""},
			{application.Query{Size: 2, Page: 7}, "Émile 100%"},
		} {
			if got := names(test.q); got != test.want {
				t.Errorf("%+v: got %q, want %q", test.q, got, test.want)
			}
		}
	})
}

func TestLastUseIsNotedOnceAMinute(t *testing.T) {
	each(t, func(w *world) {
		ctx, clock := t.Context(), dbtest.ClockOf(t, w.d)
		made, _, err := w.s.Create(ctx, operator, ledger())
		w.must(err)
		if !w.get(made.ID).LastUsed.IsZero() {
			t.Error("used before it was used")
		}
		begin := clock.Now()
		var noted []time.Duration
		for range 4 {
			w.s.Used(ctx, w.get(made.ID), clock.Now())
			noted = append(noted, w.get(made.ID).LastUsed.Sub(begin))
			clock.Advance(30 * time.Second)
		}
		if !slices.Equal(noted, []time.Duration{0, 0, time.Minute, time.Minute}) {
			t.Errorf("last used, after 0, 30, 60 and 90 seconds: %v", noted)
		}
		if w.log.Len() > 0 || w.get(made.ID).Revision != 1 {
			t.Errorf("a use changed something: %s", w.log.String())
		}
	})
}
