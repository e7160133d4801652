package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Bounds of a search: the server gives at most a thousand results at a time.
const maxPages = 10_000

// SearchSubjects returns everybody who may do what a question asks; its Member
// is left empty. What it returns is all of them, or an error: half a list never
// looks like a whole one.
func (c *Client) SearchSubjects(ctx context.Context, q Question) ([]string, error) {
	if q.Operation == "" || q.Account == "" && q.Organization == "" {
		return nil, errors.New("mandate: whoever is sought may do an operation on an account or in an organization")
	}
	b, err := c.searchBody(q)
	b.Subject = &entityBody{Type: "user"}
	return c.search(ctx, "subject", b, err)
}

// SearchResources returns the accounts on which a member may do what a question
// asks; its Account and Organization are left empty.
func (c *Client) SearchResources(ctx context.Context, q Question) ([]string, error) {
	if q.Member == "" || q.Operation == "" {
		return nil, errors.New("mandate: accounts are sought for a member and an operation")
	}
	b, err := c.searchBody(q)
	b.Resource = &entityBody{Type: "account"}
	return c.search(ctx, "resource", b, err)
}

// SearchActions returns the operations that a member may do on an account or in
// an organization; the question's Operation is left empty.
func (c *Client) SearchActions(ctx context.Context, q Question) ([]string, error) {
	if q.Member == "" || q.Account == "" && q.Organization == "" {
		return nil, errors.New("mandate: operations are sought for a member on an account or in an organization")
	}
	b, err := c.searchBody(q)
	b.Action = nil
	return c.search(ctx, "action", b, err)
}

func (c *Client) searchBody(q Question) (questionBody, error) {
	if err := q.checkDetails(); err != nil {
		return questionBody{}, err
	}
	demanded, err := c.demanded(q)
	if demanded != "" && q.Explain == Nobody {
		q.Explain = User // the answer says whether it knows what is demanded
	}
	return q.body(demanded), err
}

type searchBody struct {
	questionBody
	Page map[string]any `json:"page"`
}

func (c *Client) search(ctx context.Context, sought string, b questionBody, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	found := []string{}
	token := ""
	for range maxPages {
		page, next, err := c.page(ctx, sought, b, token)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		if next == "" {
			return found, nil
		}
		if next == token {
			return nil, fmt.Errorf("%w: the same page follows itself", ErrUnreadable)
		}
		token = next
	}
	return nil, fmt.Errorf("%w: it has no end", ErrUnreadable)
}

func (c *Client) page(ctx context.Context, sought string, b questionBody, token string) (found []string, next string, err error) {
	page := map[string]any{}
	if token != "" {
		page["token"] = token
	}
	r := call{path: "/access/v1/search/" + sought, copies: c.order()}
	if r.body, err = encode(searchBody{b, page}); err != nil {
		return nil, "", err
	}
	r.read = func(a *answer) error {
		o, err := readObject(a.body)
		if err == nil {
			found, next, err = parsePage(o, sought)
		}
		if err == nil {
			err = notReached(o)
		}
		if err == nil {
			err = c.told(a.header.Get("Mandate-Revision"))
		}
		if err != nil {
			return unreadable(err)
		}
		demanded, _ := b.Context["at_least_revision"].(string)
		if behind(a.header.Get("Mandate-Revision"), demanded) {
			return ErrStale
		}
		return nil
	}
	err = c.do(ctx, r) // before found and next are looked at
	return found, next, err
}

// notReached is an error where a search found nothing because what was demanded
// to be known is not known there.
func notReached(o object) error {
	t := taker{of: o}
	m := taker{of: t.object("context")}
	if slices.ContainsFunc(parseReasons(&m), stale) {
		return ErrStale
	}
	return errors.Join(t.wrong, m.wrong)
}

func parsePage(o object, sought string) (found []string, next string, err error) {
	name := "id"
	if sought == "action" {
		name = "name"
	}
	t := taker{of: o}
	if _, given := o["results"]; !given {
		t.fail("results", "there")
	}
	for _, one := range t.objects("results") {
		text, ok := one[name].(string)
		if !ok || text == "" {
			t.fail("a result", "named")
		}
		found = append(found, text)
	}
	if page := t.object("page"); page != nil {
		p := taker{of: page}
		next = p.text("next_token")
		if p.wrong != nil {
			return nil, "", p.wrong
		}
	}
	return found, next, t.wrong
}
