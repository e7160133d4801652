package identity_test

import (
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

func TestWantInvitation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.add("dana", bank.StatusPending)
		first := w.invite(dana)
		want := func(code string) {
			t.Helper()
			err := w.s.WantInvitation(t.Context(), harbor, first, from)
			got := ""
			if f, ok := err.(*fault.Error); ok {
				got = f.Code
			}
			if got != code || code == "" && err != nil {
				t.Errorf("got %v, want %q", err, code)
			}
		}
		want("LINK_WORKS")
		w.clock.Advance(7 * 24 * time.Hour)
		want("")
		want("")
		w.clock.Advance(24*time.Hour - time.Second)
		want("")
		if n := strings.Count(w.history(), "orguser.invite_requested dana"); n != 1 {
			t.Errorf("recorded %d times in a day: %s", n, w.history())
		}
		w.clock.Advance(time.Second)
		want("")
		if n := strings.Count(w.history(), "orguser.invite_requested dana"); n != 2 {
			t.Errorf("recorded %d times in two days", n)
		}
		mails := len(w.mail.mail)
		w.set(dana, "status", bank.StatusActive)
		want("LINK_CANCELLED")
		w.set(dana, "status", bank.StatusPending)
		w.invite(dana)
		want("LINK_REPLACED")
		first = "nonsense"
		want("LINK_UNKNOWN")
		if len(w.mail.mail) != mails+1 {
			t.Error("asking sends mail by itself")
		}
	})
}
