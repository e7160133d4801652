// Package crash kills the program at random moments and looks at what is left.
package crash

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// childEnv makes the test binary the program that is killed; fromEnv is the
// number after which its saves are numbered.
const (
	childEnv = "MANDATE_CRASH_DB"
	fromEnv  = "MANDATE_CRASH_FROM"
)

const (
	writers     = 8
	perRound    = 100_000 // more than anybody saves in a round
	institution = bank.InstitutionID("first")
	acme        = bank.OrganizationID("acme")
	account     = bank.AccountID("operating")
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		from, err := strconv.Atoi(os.Getenv(fromEnv))
		if err == nil {
			err = write(context.Background(), url, from)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func open(ctx context.Context, url string) (*db.DB, *usermgmt.Service, error) {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: bank.SystemClock{}})
	if err != nil {
		return nil, nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	return d, usermgmt.New(guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{}), nil), nil
}

// write changes permissions with eight writers until it is killed. Each save
// sets two values of two tables; a line is printed when it is acknowledged.
func write(ctx context.Context, url string, from int) error {
	_, users, err := open(ctx, url)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range writers {
		go func() {
			for n := from + 1; ; n++ {
				if err := save(ctx, users, w, n); err != nil {
					failed <- err
					return
				}
				fmt.Printf("%d %d\n", w, n) // one write call: lines of writers do not mix
			}
		}()
	}
	return <-failed
}

func save(ctx context.Context, users *usermgmt.Service, w, n int) error {
	host := bank.Caller{Kind: bank.ActorHost, Name: "Host", Institution: institution, Channel: bank.ChannelCore}
	_, err := users.SavePermissions(ctx, host, usermgmt.Edit{
		Person:  usermgmt.Person{Organization: acme, User: member(w)},
		Version: -1,
		Changes: []entitlement.Change{
			{Set: map[string]entitlement.Value{catalog.TransfersLimit.ID(): entitlement.LimitTo(bank.Cents(n) * 100)}},
			{Account: account, Set: map[string]entitlement.Value{catalog.WiresDailyLimit.ID(): entitlement.LimitTo(bank.Cents(n) * 100)}},
		},
	})
	return err
}

func member(w int) bank.UserID { return bank.UserID(fmt.Sprintf("writer%d", w)) }

func setUp(ctx context.Context, url string) error {
	d, _, err := open(ctx, url)
	if err != nil {
		return err
	}
	err = d.Write(ctx, func(tx *db.Tx) error {
		all := catalog.EntitlementSet(0)
		for _, e := range catalog.Entitlements() {
			all = all.With(e)
		}
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: institution, Name: "First", TimeZone: "UTC", Offers: all}); err != nil {
			return err
		}
		o := usermgmt.Organization{Institution: institution, ID: acme, Name: "Acme", Entitlements: all}
		if err := usermgmt.InsertOrganization(tx, &o); err != nil {
			return err
		}
		a := usermgmt.Account{ID: account, Name: "Operating"}
		if err := usermgmt.InsertAccount(tx, o.Num, &a); err != nil {
			return err
		}
		for w := range writers {
			m := usermgmt.Member{ID: member(w), FirstName: "Writer", LastName: fmt.Sprint(w), Status: bank.StatusActive}
			m.Settings.On = catalog.SetOf(catalog.TransfersEnabled, catalog.WiresEnabled, catalog.WiresWork)
			if err := usermgmt.InsertMember(tx, institution, o.Num, &m); err != nil {
				return err
			}
			if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, a.Ordinal, entitlement.Settings{On: catalog.SetOf(catalog.WiresWork)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.Close()
}

// Killed at a random moment while eight writers save: every acknowledged save
// is there, the chain verifies, and no save is half done.
func TestKilledWhileSaving(t *testing.T) {
	rounds := 6
	if os.Getenv("MANDATE_SLOW") != "" {
		rounds = 200
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "crash.db")
	if err := setUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	saves := 0
	for round := range rounds {
		from := round * perRound // numbers only grow: what an earlier round stored cannot pass for what this one lost
		acknowledged := runAndKill(t, url, from, time.Duration(60+random.IntN(400))*time.Millisecond)
		for _, n := range acknowledged {
			saves += n - from
		}
		check(t, url, round, acknowledged)
	}
	t.Logf("%d rounds, %d acknowledged saves", rounds, saves)
	if saves < rounds {
		t.Errorf("only %d saves in %d rounds: nothing was tested", saves, rounds)
	}
}

// runAndKill runs the writers for a while and returns the last acknowledged
// number of each.
func runAndKill(t *testing.T, url string, from int, after time.Duration) map[int]int {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+url, fromEnv+"="+strconv.Itoa(from))
	var stderr strings.Builder
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int]int{}
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil { // from the first save on
			timer = time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "%d %d", &w, &n); err == nil {
			acknowledged[w] = n
		}
	}
	_ = child.Wait() // it was killed, and says so
	if timer == nil {
		t.Fatalf("the writers saved nothing: %s", stderr.String())
	}
	return acknowledged
}

func check(t *testing.T, url string, round int, acknowledged map[int]int) {
	t.Helper()
	d, _, err := open(t.Context(), url)
	if err != nil {
		t.Fatalf("round %d: open again: %v", round, err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = d.Read(t.Context(), func(tx *db.Tx) error {
		result, err := activity.Verify(tx, institution, nil)
		if err != nil || len(result.Broken) > 0 {
			return fmt.Errorf("the chain: %+v %w", result.Broken, err)
		}
		p, err := usermgmt.LoadPolicy(tx, institution, acme, entitlement.Scope{AllMembers: true, AllAccounts: true})
		if err != nil {
			return err
		}
		for w := range writers {
			m := p.Members[member(w)]
			own, _ := m.Settings.Limits.Get(catalog.LimitTransfer)
			on, _ := m.Accounts[account].Limits.Get(catalog.LimitWiresDaily)
			if own != on {
				t.Errorf("round %d: writer %d is half done: %s and %s", round, w, own, on)
			}
			stored := int(own / 100)
			if n, saved := acknowledged[w]; saved && stored != n && stored != n+1 { // one save may be under way
				t.Errorf("round %d: writer %d was acknowledged %d, and %d is stored", round, w, n, stored)
			}
			if err := lastEventSays(tx, w, own); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lastEventSays compares what is stored with the newest event about it.
func lastEventSays(tx *db.Tx, w int, stored bank.Cents) error {
	events, err := activity.Feed(tx, activity.Filter{Institution: institution, Organization: acme, Target: string(member(w)), Limit: 1})
	if err != nil || len(events) == 0 {
		return err
	}
	for _, c := range events[0].Changes {
		if c.New != stored.String() {
			return fmt.Errorf("writer %d: %s is stored, history says %s is %s", w, stored, c.Field, c.New)
		}
	}
	return nil
}
