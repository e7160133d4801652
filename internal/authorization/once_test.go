package authorization_test

import (
	"errors"
	"slices"
	"testing"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/idempotency"
)

func (w *world) once(key string) *authorization.Service {
	w.t.Helper()
	s, err := w.service.Once(key)
	w.must(err)
	return s
}

// A call that is repeated under its key is told what it was told, though the
// reference has moved on, and the history does not see it.
func TestARepeatedCallIsToldTheSame(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.change("dana", dual)
		authorize := func() (authorization.Answer, error) {
			return w.once("k-authorize").Authorize(t.Context(), client, acme, "r1", wire("dana", "60000.00"))
		}
		approve := func() (authorization.Answer, error) {
			return w.once("k-approve").Approve(t.Context(), client, "r1", "lee")
		}
		refuse := func() (authorization.Answer, error) {
			return w.once("k-self").Approve(t.Context(), client, "r1", "dana")
		}
		confirm := func() (authorization.Answer, error) { return w.once("k-confirm").Confirm(t.Context(), client, "r1") }
		var said []authorization.Answer
		for _, call := range []func() (authorization.Answer, error){authorize, refuse, approve, confirm} {
			answer, err := call()
			w.must(err)
			said = append(said, answer)
		}
		w.says("approved by the initiator", said[1], entitlement.SelfApproval)
		before := w.history()
		w.change("dana", hold)
		for i, call := range []func() (authorization.Answer, error){authorize, refuse, approve, confirm} {
			again, err := call()
			w.must(err)
			first := said[i]
			if !again.Repeated || again.Allowed != first.Allowed || again.ApprovalRequired != first.ApprovalRequired ||
				!slices.Equal(again.Reasons, first.Reasons) || again.Authorization.State != first.Authorization.State ||
				again.Authorization.ApprovedBy != first.Authorization.ApprovedBy || again.Authorization.ID != first.Authorization.ID {
				t.Errorf("call %d: first %+v, again %+v", i, first, again)
			}
		}
		if after := w.history(); !slices.Equal(after, before) {
			t.Errorf("history = %v, want %v", after, before)
		}
	})
}

func TestAKeyStandsForOneCall(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		_, err := w.once("k").Authorize(t.Context(), client, acme, "r1", wire("dana", "1.00"))
		w.must(err)
		for name, call := range map[string]func(*authorization.Service) (authorization.Answer, error){
			"another amount": func(s *authorization.Service) (authorization.Answer, error) {
				return s.Authorize(t.Context(), client, acme, "r1", wire("dana", "2.00"))
			},
			"another reference": func(s *authorization.Service) (authorization.Answer, error) {
				return s.Authorize(t.Context(), client, acme, "r2", wire("dana", "1.00"))
			},
			"another verb": func(s *authorization.Service) (authorization.Answer, error) {
				return s.Confirm(t.Context(), client, "r1")
			},
			"another organization": func(s *authorization.Service) (authorization.Answer, error) {
				return s.Authorize(t.Context(), client, other, "r3", wire("kim", "1.00"))
			},
		} {
			if answer, err := call(w.once("k")); !errors.Is(err, idempotency.ErrReused) {
				t.Errorf("%s: %+v, %v", name, answer, err)
			}
		}
		elsewhere := client
		elsewhere.ID = "cli_other"
		answer, err := w.once("k").Authorize(t.Context(), elsewhere, acme, "r1", wire("dana", "3.00"))
		w.must(err)
		w.says("another client's key", answer)
		if used := w.used(monday); used != 4_00 {
			t.Errorf("used = %s", used)
		}
		if _, err := w.service.Once(""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an empty key: %v", err)
		}
	})
}

// Twenty calls at once under one key are one payment; a key that two
// organizations race for stands for one of them.
func TestOneKeyInParallelIsOneCall(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		parallel(20, func(i int) {
			organization, member, ref := acme, bank.UserID("dana"), "r-acme"
			if i%2 == 1 {
				organization, member, ref = other, "kim", "r-other"
			}
			answer, err := w.once("k").Authorize(t.Context(), client, organization, ref, wire(member, "60000.00"))
			if err != nil && !errors.Is(err, idempotency.ErrReused) {
				t.Error(err)
			}
			if err == nil && !answer.Allowed {
				t.Errorf("refused: %v", answer.Reasons)
			}
		})
		var kept int
		for _, ref := range []string{"r-acme", "r-other"} {
			if answer := w.confirm(ref); answer.Allowed {
				kept++
			}
		}
		if kept != 1 {
			t.Errorf("%d payments came of one key", kept)
		}
	})
}
