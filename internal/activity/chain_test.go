package activity_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

const (
	first = bank.InstitutionID("first")
	acme  = bank.OrganizationID("acme")
	other = bank.OrganizationID("other")
)

func write(t *testing.T, d *db.DB, do func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

// event is one that has something in every column.
func event(n int) activity.Event {
	return activity.Event{
		Name: "orguser.permission_changed", Code: "NONE", Note: fmt.Sprintf("note %d", n),
		Actor:   activity.Actor{Kind: bank.ActorMember, ID: "usr_ana", Name: "Ana Ruiz"},
		Channel: bank.ChannelOnline, IP: "192.0.2.7", Device: "Firefox",
		Target:  activity.Target{Kind: activity.TargetMember, ID: "usr_dana", Name: "Dana Reyes"},
		Changes: []activity.Change{{Field: "wires.daily_limit", Accounts: []string{"acc_1"}, Old: "1.00", New: fmt.Sprintf("%d.00", n)}},
	}
}

// add appends one save of events to a chain and returns its revision.
func add(t *testing.T, d *db.DB, organization bank.OrganizationID, events ...activity.Event) (revision int64) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, first, organization)
		if err != nil {
			return err
		}
		err = stream.Append("save", events...)
		revision = stream.Revision
		return err
	})
	return revision
}

// history makes two chains: five events of acme, two of another organization.
func history(t *testing.T, d *db.DB) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		return errors.Join(activity.Start(tx, first, acme), activity.Start(tx, first, other))
	})
	for n := range 5 {
		add(t, d, acme, event(n))
	}
	add(t, d, other, event(1), event(2))
}

func verify(t *testing.T, d *db.DB) (v activity.Verified) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		v, err = activity.Verify(tx, "", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What changed something raises the revision, once for all of its events; a
// refusal and what changed no setting are in the chain and do not.
func TestRevisionCountsChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, func(tx *db.Tx) error { return activity.Start(tx, first, acme) })
		refused, quiet := event(1), event(1)
		refused.Refused, quiet.Quiet = true, true
		for i, step := range []struct {
			events []activity.Event
			want   int64
		}{
			{[]activity.Event{event(1), event(2)}, 1},
			{[]activity.Event{refused}, 1},
			{[]activity.Event{quiet}, 1},
			{[]activity.Event{refused, event(3)}, 2},
		} {
			if got := add(t, d, acme, step.events...); got != step.want {
				t.Errorf("step %d: revision %d, want %d", i, got, step.want)
			}
		}
		if v := verify(t, d); v.Chains != 1 || v.Events != 6 || len(v.Broken) != 0 {
			t.Errorf("verify: %+v", v)
		}
	})
}

func TestNoHistoryOfThatName(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := activity.Lock(tx, first, "nobody")
			return err
		})
		if !errors.Is(err, activity.ErrNoStream) {
			t.Errorf("lock: %v", err)
		}
	})
}

// Whatever column of whatever event is changed, the first broken link is named.
func TestVerifyNamesTheFirstBrokenLink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		history(t, d)
		if v := verify(t, d); v.Chains != 2 || v.Events != 7 || len(v.Broken) != 0 {
			t.Fatalf("whole: %+v", v)
		}
		for _, column := range columns(t, d) {
			for _, sequence := range []int64{1, 3, 5} {
				t.Run(fmt.Sprintf("%s of %d", column, sequence), func(t *testing.T) { tamper(t, d, column, sequence) })
			}
		}
		if v := verify(t, d); v.Events != 7 || len(v.Broken) != 0 {
			t.Fatalf("put back: %+v", v)
		}
	})
}

func columns(t *testing.T, d *db.DB) (names []string) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(`select * from history_event where sequence < 0`)
		if err != nil {
			return err
		}
		names, err = rows.Columns()
		for rows.Next() { // a result is read to its end
		}
		return errors.Join(err, rows.Err(), rows.Close())
	})
	if err != nil || len(names) < 20 {
		t.Fatalf("columns: %v, %v", names, err)
	}
	return names
}

// differently is another value for a column, by what it holds.
func differently(column string) string {
	switch column {
	case "sequence":
		return "sequence + 100"
	case "time_micros", "revision":
		return column + " + 1"
	case "refused":
		return "not refused"
	case "changes":
		return `replace(changes, '1.00', '9.00')`
	}
	return column + " || 'x'"
}

// tamper changes one column of one event, asks, and puts it back.
func tamper(t *testing.T, d *db.DB, column string, sequence int64) {
	set, keys := differently(column), []any{first, acme, sequence}
	if column == "hash" {
		set, keys = "$4", append(keys, bytes.Repeat([]byte{7}, 32))
	}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		n, err := tx.Exec(`update history_event set `+column+` = `+set+` where institution_id = $1 and organization_id = $2 and sequence = $3`, keys...)
		if err != nil || n != 1 {
			return fmt.Errorf("tamper with %d events: %w", n, err)
		}
		v, err := activity.Verify(tx, "", nil)
		if err != nil {
			return err
		}
		found := false
		for _, b := range v.Broken {
			found = found || b.Institution == first && b.Organization == acme && b.Sequence == sequence
		}
		if !found {
			t.Errorf("verify names %+v, want event %d of acme", v.Broken, sequence)
		}
		return errPutBack
	})
	if !errors.Is(err, errPutBack) {
		t.Error(err)
	}
}

var errPutBack = errors.New("put it back")

// Events that are removed, added, exchanged or cut off are found, and a head
// that was changed, too.
func TestVerifyFindsWhatIsMissing(t *testing.T) {
	const ofAcme = ` where institution_id = 'first' and organization_id = 'acme'`
	for name, c := range map[string]struct {
		statements []string
		sequence   int64
		why        string
	}{
		"the first removed":  {[]string{`delete from history_event` + ofAcme + ` and sequence = 1`}, 1, "missing"},
		"one removed":        {[]string{`delete from history_event` + ofAcme + ` and sequence = 3`}, 3, "missing"},
		"the newest removed": {[]string{`delete from history_event` + ofAcme + ` and sequence > 3`}, 4, "newest events are missing"},
		"the newest removed and the head moved back": {[]string{
			`delete from history_event` + ofAcme + ` and sequence > 3`, `update stream set sequence = 3` + ofAcme}, 3, "head"},
		"all removed": {[]string{`delete from history_event` + ofAcme}, 1, "missing"},
		"two exchanged": {[]string{
			`update history_event set sequence = 99` + ofAcme + ` and sequence = 2`,
			`update history_event set sequence = 2` + ofAcme + ` and sequence = 3`,
			`update history_event set sequence = 3` + ofAcme + ` and sequence = 99`}, 2, "not what was recorded"},
		"moved to another chain": {[]string{
			`update history_event set organization_id = 'acme', sequence = 6 where organization_id = 'other' and sequence = 1`}, 6, "not what was recorded"},
		"another head":  {[]string{`update stream set head = (select head from stream where organization_id = 'other')` + ofAcme}, 5, "head"},
		"a longer head": {[]string{`update stream set sequence = 9` + ofAcme}, 6, "newest events are missing"},
		"no head":       {[]string{`delete from stream` + ofAcme}, 1, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				history(t, d)
				write(t, d, func(tx *db.Tx) error {
					for _, s := range c.statements {
						if _, err := tx.Exec(s); err != nil {
							return err
						}
					}
					return nil
				})
				for _, b := range verify(t, d).Broken {
					if b.Organization == acme && b.Sequence == c.sequence && strings.Contains(b.Why, c.why) {
						return
					}
				}
				t.Errorf("verify names %+v, want event %d: %s", verify(t, d).Broken, c.sequence, c.why)
			})
		})
	}
}

// A feed is newest first, pages on, and shows refusals only to who asks.
func TestFeed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		history(t, d)
		refused := event(9)
		refused.Refused, refused.Target.ID = true, "usr_lee"
		add(t, d, acme, refused)
		for name, c := range map[string]struct {
			filter activity.Filter
			want   []int64
		}{
			"all":             {activity.Filter{}, []int64{5, 4, 3, 2, 1}},
			"refusals, too":   {activity.Filter{WithRefused: true}, []int64{6, 5, 4, 3, 2, 1}},
			"a page":          {activity.Filter{Limit: 2}, []int64{5, 4}},
			"the next":        {activity.Filter{Limit: 2, Before: 4}, []int64{3, 2}},
			"what is new":     {activity.Filter{After: 3}, []int64{5, 4}},
			"since a look":    {activity.Filter{AfterRevision: 4}, []int64{5}},
			"of a person":     {activity.Filter{Target: "usr_lee", WithRefused: true}, []int64{6}},
			"by a person":     {activity.Filter{Actor: "usr_ana", Limit: 1}, []int64{5}},
			"by nobody":       {activity.Filter{Actor: "usr_lee"}, nil},
			"of a name":       {activity.Filter{Names: []string{"orguser.created", "orguser.permission_changed"}, Limit: 1}, []int64{5}},
			"of another name": {activity.Filter{Names: []string{"orguser.permission"}}, nil},
			"before it began": {activity.Filter{Until: dbtest.Start.UnixMicro()}, nil},
			"from then on":    {activity.Filter{From: dbtest.Start.UnixMicro(), Limit: 1}, []int64{5}},
		} {
			c.filter.Institution, c.filter.Organization = first, acme
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				events, err := activity.Feed(tx, c.filter)
				var got []int64
				for _, e := range events {
					got = append(got, e.Sequence)
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s: %v, want %v", name, got, c.want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
