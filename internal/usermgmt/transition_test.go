package usermgmt_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

// lifeRows say for every command who may give it and what becomes of a member
// in each status: the status afterwards, or why not. They are written from the
// trade's description, not from the code.
//
//	command: bank channels | credit-union channels | pending active locked disabled
//
// Channels: a admin in Online, v viewer, u role User, p People, h the host and
// its staff, c API client, o operator. "-" is nobody.
const lifeRows = `
hold:     a h   | a p h | pending+held active+held locked+held STATUS
release:  a h   | a p h | pending active locked disabled
unlock:   a p h | a p h | STATUS STATUS active STATUS
disable:  h     | h     | disabled disabled disabled STATUS
lock:     h     | h     | STATUS locked STATUS STATUS
delete:   a h   | a p h | gone gone gone gone
invite:   a h   | a h   | pending NOT_PENDING NOT_PENDING NOT_PENDING
cancel:   a h   | a h   | NO_INVITATION NO_INVITATION NO_INVITATION NO_INVITATION
reset:    a p h | a p h | NO_CREDENTIALS active locked DISABLED
edit:     a h   | a h   | pending active locked disabled
`

var callers = map[string]bank.Caller{
	"a": onlineAs("ana"), "v": onlineAs("vera"), "u": onlineAs("uma"), "p": people, "h": host, "c": client, "o": operator,
}

// do gives one command.
func (w *world) do(command string, caller bank.Caller, p usermgmt.Person) error {
	ctx := w.t.Context()
	switch command {
	case "hold":
		return w.users.Hold(ctx, caller, p, "")
	case "release":
		return w.users.Release(ctx, caller, p)
	case "unlock":
		return w.users.Unlock(ctx, caller, p)
	case "disable":
		return w.users.Disable(ctx, caller, p)
	case "lock":
		return w.users.Lock(ctx, caller, p)
	case "delete":
		return w.users.Delete(ctx, caller, p)
	case "invite":
		return w.users.Invite(ctx, caller, p)
	case "cancel":
		return w.users.CancelInvitation(ctx, caller, p)
	case "reset":
		return w.users.SendReset(ctx, caller, p)
	case "edit":
		m, err := w.users.Profile(ctx, operator, p)
		if err != nil {
			return err
		}
		return w.users.EditProfile(ctx, caller, p, usermgmt.Details{FirstName: m.Member.FirstName + "x", LastName: m.Member.LastName, Email: m.Member.Email, Role: m.Member.Role})
	}
	panic(command)
}

// Every command, in every status, from every channel, in both editions.
func TestWhoMayDoWhatInWhichStatus(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		t.Run(edition.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d, edition)
				w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
				w.add("vera", bank.RoleViewer, bank.StatusActive, manages)
				w.add("uma", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
				n := 0
				for line := range strings.Lines(strings.TrimSpace(lifeRows)) {
					command, rest, _ := strings.Cut(line, ":")
					parts := strings.Split(rest, "|")
					results := strings.Fields(parts[2])
					for channel, caller := range callers {
						may := strings.Contains(parts[edition], channel)
						for status, result := range results {
							n++
							w.checkRow(fmt.Sprintf("one%d", n), command, caller, bank.Status(status), may, result)
						}
					}
				}
				if n != 10*7*4 {
					t.Fatalf("%d rows were checked", n)
				}
			})
		})
	}
}

func (w *world) checkRow(name, command string, caller bank.Caller, status bank.Status, may bool, want string) {
	w.t.Helper()
	w.add(name, bank.RoleUser, status, entitlement.Settings{}, "operating")
	before := w.sequence()
	err := w.do(command, caller, who(name))
	got := "gone"
	if m, found := w.find(name); found {
		got = m.Status.String()
		if m.Held {
			got += "+held"
		}
	}
	events := w.events(before)
	label := fmt.Sprintf("%s by %s %s of somebody %s", command, caller.Kind, caller.ID, status)
	refused := strings.ToUpper(want) == want
	switch f, _ := err.(*fault.Error); {
	case !may:
		if fault.KindOf(err) != fault.Forbidden || got != status.String() || len(events) != 1 || !events[0].Refused {
			w.t.Errorf("%s: %v, then %s with %d events; want a recorded refusal", label, err, got, len(events))
		}
	case refused:
		if f == nil || f.Code != want || f.Kind != fault.Conflict || got != status.String() || len(events) != 0 {
			w.t.Errorf("%s: %v, then %s with %d events; want %s", label, err, got, len(events), want)
		}
	case err != nil || got != want:
		w.t.Errorf("%s: %v, then %s; want %s", label, err, got, want)
	case len(events) != 1 && command != "release":
		w.t.Errorf("%s left %d events; want one", label, len(events))
	}
}

// The table in the code and the events it names are complete.
func TestEveryCommandHasItsRow(t *testing.T) {
	all := usermgmt.Transitions()
	if len(all) != 8 {
		t.Fatalf("%d commands", len(all))
	}
	events := map[string]bool{}
	for _, row := range all {
		if !strings.HasPrefix(row.Event, "orguser.") || events[row.Event] {
			t.Errorf("the event of command %d is %q", row.Command, row.Event)
		}
		events[row.Event] = true
		for _, from := range row.From {
			if from == bank.StatusDisabled && row.Command != usermgmt.CommandDelete && row.Command != usermgmt.CommandRelease {
				t.Errorf("%s leads on from disabled, which is final", row.Event)
			}
		}
	}
}

// docs/life-cycle.md shows the same table as the code has.
func TestThePageShowsTheStateMachine(t *testing.T) {
	page, err := os.ReadFile("../../docs/life-cycle.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := strings.Fields("create activate lock unlock disable delete hold release")
	shown := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		command := slices.Index(commands, cells[0])
		if command < 0 || len(cells) != 7 {
			continue
		}
		shown++
		row := usermgmt.Transitions()[command]
		others := slices.DeleteFunc([]bank.ActorKind{bank.ActorSystem, bank.ActorHost}, func(kind bank.ActorKind) bool { return !slices.Contains(row.Others, kind) })
		if len(others) != len(row.Others) {
			t.Errorf("%s: the page has no column for some of %v", cells[0], row.Others)
		}
		want := []string{cells[0], froms(row), tos(row, commands[command]), yes(row.Member != catalog.UnknownOperation), yes(row.Staff != ""), yes(row.StaffCU != ""), kinds(others)}
		cells[6] = kindsNamed(cells[6])
		if !slices.Equal(cells, want) {
			t.Errorf("the page says %q, the code %q", cells, want)
		}
	}
	if shown != len(commands) {
		t.Errorf("the page shows %d commands, want %d", shown, len(commands))
	}
}

func froms(row usermgmt.Transition) string {
	switch len(row.From) {
	case 0:
		return "-"
	case 4:
		return "any"
	}
	var names []string
	for _, s := range row.From {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

func tos(row usermgmt.Transition, command string) string {
	switch command {
	case "hold", "release":
		return "the same"
	case "delete":
		return "gone"
	}
	return row.To.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func kinds(all []bank.ActorKind) string {
	var names []string
	for _, k := range all {
		names = append(names, string(k))
	}
	return strings.Join(names, " ")
}

// kindsNamed leaves of "system: the first sign-in; host" the kinds.
func kindsNamed(cell string) string {
	var names []string
	for part := range strings.SplitSeq(cell, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(part), ":")
		if name != "-" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
