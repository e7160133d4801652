package app_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/oidc"
	"mandate/internal/pdp"
)

// A copy needs no more rights in the database than its page says: with those it
// loads, follows and answers, and whatever else it tried would be refused.
func TestACopyNeedsNoMoreRightsThanThePageSays(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "decision-service.md"))
	if err != nil {
		t.Fatal(err)
	}
	statements := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(page)
	if statements == nil {
		t.Fatal("the page has no statements")
	}
	n := dbtest.NewNode(t)
	name := n.Database()
	c := openCluster(t, n.URL(name))
	pool, err := sql.Open("pgx", n.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(string(statements[1])); err != nil {
		t.Fatalf("the page's statements: %v", err)
	}
	var written string
	err = pool.QueryRow(`
		select coalesce(string_agg(distinct table_name || ' ' || privilege_type, ', '), '') from information_schema.role_table_grants
		 where grantee = 'mandate_copy' and privilege_type <> 'SELECT' and table_name <> 'decision_copy'`).Scan(&written)
	if err != nil || written != "" {
		t.Errorf("a copy could write: %s, %v", written, err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	one := followHere(t, strings.Replace(n.URL(name), "mandate@", "mandate_copy@", 1))
	for _, words := range []bool{false, true} {
		for what, ask := range map[string]func() error{
			"a decision": func() error {
				_, err := one.Decisions.Decide(t.Context(), "first", question(words))
				return err
			},
			"an explanation": func() error {
				_, err := one.Decisions.Explain(t.Context(), "first", question(words))
				return err
			},
			"who may": func() error {
				q := question(words)
				q.Member = ""
				_, err := one.Decisions.WhoMay(t.Context(), "first", q)
				return err
			},
			"what may": func() error {
				_, err := one.Decisions.WhatMay(t.Context(), "first", question(words), nil)
				return err
			},
		} {
			if err := ask(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	tokens := one.Tokens.(oidc.Tokens)
	for what, look := range map[string]func() error{
		"the keys of tokens": func() error { _, err := tokens.Grants.PublicKeys(t.Context(), "first"); return err },
		"a token":            func() error { _, err := tokens.Grants.Token(t.Context(), "first", "none"); return err },
		"a grant":            func() error { _, err := tokens.Grants.Family(t.Context(), "first", "none"); return err },
		"an application":     func() error { _, err := tokens.Applications.Lookup(t.Context(), "first", "app_none"); return err },
	} {
		if err := look(); err != nil && !errors.Is(err, grant.ErrUnknown) && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	token := c.revoke()
	revision, err := pdp.ParseRevision(token)
	if err != nil {
		t.Fatal(err)
	}
	q := question(false)
	q.AtLeast = []pdp.Revision{revision}
	if a, err := one.Decisions.Decide(context.Background(), "first", q); err != nil || a.Allowed || len(a.Reasons) == 0 || a.Reasons[0].Code == pdp.RevisionNotReached {
		t.Errorf("after a change: %+v, %v", a, err)
	}
}

func question(words bool) pdp.Question {
	return pdp.Question{Member: bank.UserID("dana"), Operation: "wires.transmit", Account: "operating", Amount: entitlement.ReadAmount("1.00"), InWords: words}
}
