package usermgmt_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// rounds is how often something random is tried: all of it in the slow check.
func rounds(few, all int) int {
	if os.Getenv("MANDATE_SLOW") != "" {
		return all
	}
	return few
}

// A walker gives commands at random and checks after each what must always be
// true.
type walker struct {
	*world
	rng   *rand.Rand
	names []string
	state map[string]usermgmt.Member
	done  map[string]int
}

var walkCommands = []string{"hold", "release", "unlock", "disable", "lock", "delete", "invite", "cancel", "reset", "edit",
	"create", "role", "manage off", "manage on", "sign in", "wrong passwords", "enable"}

func TestRandomWalkKeepsTheInvariants(t *testing.T) {
	each(t, func(w *world) {
		walk := &walker{world: w, rng: rand.New(rand.NewPCG(41, 5)), state: map[string]usermgmt.Member{}, done: map[string]int{}}
		for _, name := range []string{"ana", "ben"} {
			w.add(name, bank.RoleAdmin, bank.StatusActive, manages)
			walk.names = append(walk.names, name)
		}
		w.add("dana", bank.RoleUser, bank.StatusActive, sendsWires(), "operating")
		w.add("vera", bank.RoleViewer, bank.StatusActive, manages)
		walk.names = append(walk.names, "dana", "vera")
		walk.look()
		for range rounds(600, 6000) {
			walk.step()
			if t.Failed() {
				return
			}
		}
		for _, command := range walkCommands {
			if walk.done[command] == 0 {
				t.Errorf("%q was never done: the walk says nothing about it", command)
			}
		}
		w.read(func(tx *db.Tx) error {
			verified, err := activity.Verify(tx, harbor, nil)
			if len(verified.Broken) > 0 {
				t.Errorf("the history does not hold: %+v", verified.Broken)
			}
			return err
		})
	})
}

// look reads how everybody stands.
func (w *walker) look() {
	w.state = map[string]usermgmt.Member{}
	for _, name := range w.names {
		if m, found := w.find(name); found {
			w.state[name] = m
		}
	}
}

func (w *walker) usable() (n int) {
	for _, m := range w.state {
		if m.Role == bank.RoleAdmin && m.Status == bank.StatusActive && !m.Held && m.Settings.On.Has(catalog.UserManagementEnabled) {
			n++
		}
	}
	return n
}

// caller is an admin, mostly; else anybody, the staff or the host.
func (w *walker) caller() bank.Caller {
	switch w.rng.IntN(10) {
	case 0:
		return people
	case 1, 2:
		return host
	}
	return onlineAs(w.names[w.rng.IntN(min(len(w.names), 8))])
}

func (w *walker) step() {
	command := walkCommands[w.rng.IntN(len(walkCommands))]
	name := w.names[w.rng.IntN(len(w.names))]
	if len(w.state) < 6 && w.rng.IntN(4) == 0 {
		command = "create"
	}
	if command == "invite" || command == "cancel" || command == "enable" {
		name = w.pending(name)
	}
	caller, before, usable, was := w.caller(), w.sequence(), w.usable(), w.state
	err := w.command(command, name, caller)
	w.look()
	if err == nil {
		w.done[command]++
	}
	label := fmt.Sprintf("%s of %s by %s %s (%v)", command, name, caller.Kind, caller.ID, err)
	if err != nil && fault.KindOf(err) == fault.Internal {
		w.t.Errorf("%s failed", label)
	}
	locks := command == "lock" || command == "wrong passwords"
	if usable > 0 && w.usable() == 0 && !locks {
		w.t.Errorf("%s took the last usable admin", label)
	}
	w.checkMembers(label, was)
	w.checkEvents(label, err, w.events(before))
}

// checkMembers: disabled is final, nothing leads back to pending, and whoever
// cannot sign in is not signed in.
func (w *walker) checkMembers(label string, was map[string]usermgmt.Member) {
	for _, name := range w.names {
		now, there := w.state[name]
		before, wasThere := was[name]
		if there && wasThere && before.Status == bank.StatusDisabled && now.Status != bank.StatusDisabled {
			w.t.Errorf("%s brought %s back from disabled", label, name)
		}
		if there && wasThere && before.Status != bank.StatusPending && now.Status == bank.StatusPending {
			w.t.Errorf("%s made %s pending again", label, name)
		}
		if there && now.Role == bank.RoleUser && now.Settings.On.Has(catalog.UserManagementEnabled) {
			w.t.Errorf("%s left User management on for %s, whose role is User", label, name)
		}
		if mayNot := !there || now.Held || now.Status != bank.StatusActive; mayNot && w.liveSignIns(name) > 0 {
			w.t.Errorf("%s left %s signed in", label, name)
		}
	}
}

// checkEvents: every change leaves one event for each target, and whatever was
// refused changed nothing.
func (w *walker) checkEvents(label string, err error, events []activity.Event) {
	seen := map[string]int{}
	for _, e := range events {
		if e.Quiet || e.Name == "auth.signin_succeeded" || e.Name == "auth.signin_failed" {
			continue
		}
		if e.Refused && err == nil {
			w.t.Errorf("%s was done and recorded as refused: %s", label, e.Name)
		}
		if !e.Refused && err != nil && e.Name != "orguser.locked" {
			w.t.Errorf("%s was refused and recorded as done: %s", label, e.Name)
		}
		if seen[e.Target.ID]++; seen[e.Target.ID] > 1 && !e.Refused {
			w.t.Errorf("%s left several events about %s", label, e.Target.ID)
		}
	}
}

// pending is somebody who has not joined yet, where there is one.
func (w *walker) pending(otherwise string) string {
	for _, name := range w.names {
		if m, there := w.state[name]; there && m.Status == bank.StatusPending {
			return name
		}
	}
	return otherwise
}

func (w *walker) command(command, name string, caller bank.Caller) error {
	ctx, p := w.t.Context(), who(name)
	switch command {
	case "create":
		return w.create(caller)
	case "role":
		m, found := w.state[name]
		if !found {
			return nil
		}
		return w.users.EditProfile(ctx, caller, p, usermgmt.Details{FirstName: m.FirstName, LastName: m.LastName, Email: m.Email, Role: bank.Role(w.rng.IntN(3))})
	case "manage off", "manage on", "enable":
		set, account := map[string]entitlement.Value{catalog.UserManagementEnabled.ID(): entitlement.SwitchTo(command == "manage on")}, bank.AccountID("")
		if command == "enable" {
			set, account = map[string]entitlement.Value{catalog.AccountAccess.ID(): entitlement.SwitchTo(true)}, "acc_payroll"
		}
		_, err := w.users.SavePermissions(ctx, caller, usermgmt.Edit{Person: p, Version: -1, Changes: []entitlement.Change{{Account: account, Set: set}}})
		return err
	case "sign in":
		return w.signIn(name)
	case "wrong passwords":
		for range 3 {
			w.identity.SignIn(ctx, identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: name, Password: "not it", From: identity.Source{Channel: bank.ChannelOnline}})
		}
		return nil
	case "edit":
		if _, found := w.state[name]; !found {
			return nil
		}
	}
	return w.do(command, caller, p)
}

// create makes somebody new and gives them credentials, as enrolling would.
func (w *walker) create(caller bank.Caller) error {
	name := fmt.Sprintf("new%d", len(w.names))
	made, err := w.users.Create(w.t.Context(), caller, acme, usermgmt.Details{FirstName: "New", LastName: name, Email: name + "@acme.example", Role: bank.Role(w.rng.IntN(3))})
	if err != nil {
		return err
	}
	hash, err := w.identity.Hash(w.t.Context(), password)
	if err != nil {
		return err
	}
	w.write(func(tx *db.Tx) error {
		if _, err := tx.Exec(`update member set id = $1 where id = $2`, id(name), made.User); err != nil {
			return err
		}
		return w.identity.PutCredential(tx, identity.Member(harbor, id(name)), name, hash)
	})
	w.names = append(w.names, name)
	return nil
}

// Two admins take each other out of action at the same time: one stays.
func TestRaceOfTwoAdminsWhoRemoveEachOther(t *testing.T) {
	ways := []string{"delete", "hold", "role", "manage off"}
	each(t, func(w *world) {
		for round := range rounds(20, 500) {
			a, b := fmt.Sprintf("anna%d", round), fmt.Sprintf("bert%d", round)
			members := []usermgmt.Member{
				w.add(a, bank.RoleAdmin, bank.StatusActive, manages), w.add(b, bank.RoleAdmin, bank.StatusActive, manages),
			}
			way := ways[round%len(ways)]
			walk := &walker{world: w, rng: rand.New(rand.NewPCG(uint64(round), 1)), state: map[string]usermgmt.Member{a: members[0], b: members[1]}}
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i, pair := range [][2]string{{a, b}, {b, a}} {
				wg.Go(func() { errs[i] = walk.remove(way, pair[0], pair[1]) })
			}
			wg.Wait()
			var usable []bank.UserID
			w.read(func(tx *db.Tx) error {
				p, err := usermgmt.LoadPolicy(tx, harbor, acme, entitlement.Scope{})
				usable = p.UsableAdmins
				return err
			})
			if len(usable) != 1 || slices.Contains(errs, nil) == (errs[0] == nil && errs[1] == nil) {
				t.Fatalf("round %d by %s: %v left %d usable admins", round, way, errs, len(usable))
			}
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`update member set role = 0 where institution_id = $1`, harbor)
				return err
			})
		}
	})
}

func (w *walker) remove(way, by, name string) error {
	if way != "role" {
		return w.command(way, name, onlineAs(by))
	}
	m := w.state[name]
	return w.users.EditProfile(w.t.Context(), onlineAs(by), who(name), usermgmt.Details{FirstName: m.FirstName, LastName: m.LastName, Email: m.Email, Role: bank.RoleUser})
}
