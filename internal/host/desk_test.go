package host_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/outbox"
)

// moody is a host that fails now and then.
type moody struct {
	fails   int
	carried []string
}

func (m *moody) Balances(context.Context, bank.InstitutionID, []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	return nil, nil
}

func (m *moody) Numbers(context.Context, bank.InstitutionID, []bank.AccountID) (map[bank.AccountID]string, error) {
	return nil, nil
}

func (m *moody) Statement(context.Context, bank.InstitutionID, bank.AccountID, int) ([]host.Line, error) {
	return nil, nil
}

func (m *moody) Cards(context.Context, bank.InstitutionID, bank.OrganizationID) ([]host.Card, error) {
	return nil, nil
}

func (m *moody) Presented(context.Context, bank.InstitutionID, string, int) ([]host.Presented, error) {
	return nil, nil
}

func (m *moody) Image(context.Context, bank.InstitutionID, string, host.Side) ([]byte, error) {
	return nil, host.ErrNoImage
}

func (m *moody) Carry(_ context.Context, o host.Order) (host.Receipt, error) {
	if m.fails > 0 {
		m.fails--
		return host.Receipt{}, errors.New("the line is down")
	}
	m.carried = append(m.carried, o.Key())
	return host.Receipt{Reference: "1"}, nil
}

func queue(t *testing.T, d *db.DB, orders ...host.Order) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		for _, o := range orders {
			if err := host.Queue(tx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeskCarriesUntilTheRoomHasHeard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := &moody{fails: 1}
		desk := host.NewDesk(d, h, slog.New(slog.NewTextHandler(io.Discard, nil)))
		heard, deaf := 0, true
		desk.Answer("test", func(_ context.Context, o host.Order, r host.Receipt) error {
			if deaf {
				deaf = false
				return errors.New("not now")
			}
			if o.Ref != "1" || r.Reference != "1" || o.Legs[0].Cents != -5 {
				t.Errorf("heard of %+v: %+v", o, r)
			}
			heard++
			return nil
		})
		o := host.Order{Institution: "cedar", Organization: "org", Room: "test", Ref: "1", Legs: host.Move("a", "b", 5)}
		queue(t, d, o, o) // twice is once
		for range 4 {     // the host fails, the room fails, then both hear; then there is nothing left
			desk.Now(t.Context())
			dbtest.ClockOf(t, d).Advance(time.Hour)
		}
		if len(h.carried) != 2 || heard != 1 {
			t.Errorf("carried %v and heard %d times; want twice and once", h.carried, heard)
		}
	})
}

func TestDeskGivesUpWhatNobodyAsked(t *testing.T) {
	d := dbtest.SQLite(t)
	desk := host.NewDesk(d, &moody{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	queue(t, d, host.Order{Institution: "cedar", Room: "nobody", Ref: "1"})
	desk.Now(t.Context())
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		backlog, err := outbox.Backlogs(tx)
		if len(backlog) != 1 || backlog[0].Dead != 1 {
			t.Errorf("the backlog is %+v, want one dead order", backlog)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return host.Queue(tx, host.Order{Institution: "cedar"}) }); err == nil {
		t.Error("an order without a name was queued")
	}
}
