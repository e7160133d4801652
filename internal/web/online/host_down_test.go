package online_test

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
	"mandate/internal/outbox"
)

// A line leads to the simulator by the protocol. It can be down, or hang.
type line struct {
	host.Whole
	state atomic.Int32
}

const (
	lineUp int32 = iota
	lineDown
	lineHangs
)

func newLine(core *hostsim.Bank) *line {
	l := &line{}
	anybody := func(bank.InstitutionID, string) bool { return true }
	right := protocol.Handler(core.Server(), anybody, slog.New(slog.DiscardHandler))
	mood := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch l.state.Load() {
		case lineDown:
			http.Error(w, "<html>Bad gateway</html>", http.StatusBadGateway)
		case lineHangs:
			<-r.Context().Done()
		default:
			right.ServeHTTP(w, r)
		}
	})
	l.Whole = protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://host.inside"}), host.Same{}, protocol.Inside(mood))
	return l
}

// What the screens say when the host does not answer.
var silentHost = map[string][]string{
	"/cedar/home":                   {"What the accounts hold is not known right now", "Operating", "Not known"},
	"/cedar/accounts/acc_operating": {"What the accounts hold is not known right now"},
	"/cedar/transfers/new":          {"The host does not tell balances at the moment. You can go on", "Operating"},
}

// Without the host the screens say so and everything of ours goes on; what is
// asked for arrives when it is back, once.
func TestAHostThatIsDown(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	dana := p.as("dana")
	p.line.state.Store(lineDown)
	for path, said := range silentHost {
		dana.get(path).says(t, said...)
	}
	form := transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "$1,250.00", "memo": "March wages"})
	dana.proves("/cedar/transfers", form).says(t, "Being carried out", "It is with the host")
	dana.get("/cedar/transfers").says(t, "Being carried out", "March wages")
	p.has("acc_payroll", 0)

	p.line.state.Store(lineUp)
	p.clock.Advance(time.Hour)
	p.desk.Now(t.Context())
	p.desk.Now(t.Context())
	p.has("acc_payroll", 1_250_00)
	dana = p.as("dana") // an hour later
	dana.get("/cedar/transfers").says(t, "Completed")
}

// A host that hangs costs each screen three seconds and no more; after three
// of them nobody waits for a while.
func TestAHostThatHangs(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	dana := p.as("dana")
	p.line.state.Store(lineHangs)
	start := time.Now()
	var wg sync.WaitGroup
	for path, said := range silentHost {
		wg.Go(func() {
			got := dana.get(path)
			if got.status != 200 || !strings.Contains(got.body, said[0]) {
				t.Errorf("%s: %d, does not say %q", path, got.status, said[0])
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took < 2*time.Second || took > 8*time.Second {
		t.Errorf("the screens took %v, want about three seconds", took)
	}
	start = time.Now()
	dana.get("/cedar/home").says(t, silentHost["/cedar/home"]...)
	if took := time.Since(start); took >= 3*time.Second {
		t.Errorf("the next screen took %v: nobody should wait", took)
	}
}

// Where an order was set aside without an answer, its transfer says that nobody knows
// what came of it, and does not promise to look again by itself.
func TestATransferOfWhichNobodyKnows(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	dana := p.as("dana")
	p.line.state.Store(lineDown)
	form := transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "$1,250.00"})
	dana.proves("/cedar/transfers", form).says(t, "It is with the host")
	id := ""
	if err := p.d.Write(t.Context(), func(tx *db.Tx) error {
		waiting, err := outbox.Undelivered(tx, "cedar", outbox.Host, "", 1)
		if err != nil {
			return err
		}
		id = strings.Split(waiting[0].Key, "/")[1]
		return outbox.Cancel(tx, "cedar", outbox.Host, waiting[0].Key)
	}); err != nil {
		t.Fatal(err)
	}
	page := dana.get("/cedar/transfers/" + id)
	page.says(t, "It is not known whether this transfer was made", "It may have been made.", "name our reference", "Outcome not known")
	if strings.Contains(page.body, "looks again by itself") || strings.Contains(page.body, "Being carried out") || strings.Contains(page.body, "Cancel transfer") {
		t.Error("it says that it is still asked about, or that it can be cancelled")
	}
	dana.get("/cedar/transfers/"+id+"/receipt").says(t, "Outcome not known")
}
