package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"mandate/internal/app"
	"mandate/internal/authzen"
	"mandate/internal/authzen/scan"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// ServeDecisions is the server's side of Decisions, in a process of its own, so
// that what it takes of the processor can be told from what its callers take. It
// is the program as it is served, on a database of its own, with the made-up
// institution in its memory. It says on out where it answers, and the keys of its
// callers; then it does what the lines of in say, and answers each with a number,
// until they end:
//
//	cpu          the processor time of this process so far, in nanoseconds
//	changes N    from now on N changes a second arrive; how many have so far
func ServeDecisions(ctx context.Context, in io.Reader, out io.Writer, o DecisionsOptions) (err error) {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := config.Config{Store: config.Store{Data: dir}}
	a, err := app.Open(ctx, cfg, bank.SystemClock{}, cfg.Logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	keys, err := settleCrowd(ctx, a, o.Organizations)
	if err != nil {
		return err
	}
	for _, handler := range []http.Handler{a.APIHandlerWith(constant{}), a.APIHandler()} {
		address, stop, err := serveDecisions(a, handler)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		fmt.Fprintln(out, address)
	}
	fmt.Fprintln(out, strings.Join(keys, " "))
	arriving, err := startArrivals(a.Memory.Store(crowdInstitution), o.Organizations)
	if err != nil {
		return err
	}
	defer arriving.stop()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch word, number, _ := strings.Cut(lines.Text(), " "); word {
		case "cpu":
			fmt.Fprintln(out, processTime().Nanoseconds())
		case "changes":
			n, err := strconv.Atoi(number)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, arriving.set(n))
		}
	}
	return lines.Err()
}

// crowdCallers is how many programs ask: what all ask together is more than one may.
const crowdCallers = 16

// settleCrowd makes the institution and its callers in the database, and the
// organizations in memory alone: they would take minutes to store.
func settleCrowd(ctx context.Context, a *app.App, organizations int) (keys []string, err error) {
	c, err := newCrowd(organizations)
	if err != nil {
		return nil, err
	}
	err = a.DB.Write(ctx, func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{
			ID: crowdInstitution, Name: "Bench Bank", TimeZone: c.institution.Location.String(), Edition: c.institution.Edition, Offers: c.institution.Offers,
		})
	})
	if err != nil {
		return nil, err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: crowdInstitution, Channel: bank.ChannelCommand}
	for n := range crowdCallers {
		_, key, err := a.Clients.Create(ctx, operator, client.Draft{Name: fmt.Sprint("Bench ", n+1), Access: client.Access{Rate: client.MaxRate}})
		if err != nil {
			return nil, err
		}
		keys = append(keys, key.Reveal())
	}
	// The first question reads what the institution is; everything else is put there.
	if _, err := a.Decisions.Decide(ctx, crowdInstitution, pdp.Question{Member: crowdMember(0, 0)}); err != nil {
		return nil, err
	}
	store := a.Memory.Store(crowdInstitution)
	for n := range organizations {
		if !store.Put(packed(c, c.policy(n))) {
			return nil, fmt.Errorf("organization %d is not taken into memory", n)
		}
	}
	return keys, nil
}

// packed is an organization without payments, as it was made.
func packed(c *crowd, p *entitlement.Policy) *compact.Block {
	return compact.NewBlock(p, 1).WithCounts(bank.DayOf(time.Now().AddDate(0, 0, -1), c.institution.Location), nil)
}

// serveDecisions serves a handler on an address of its own.
func serveDecisions(a *app.App, handler http.Handler) (address string, stop func() error, err error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := web.NewServer(handler, a.Log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(socket) }()
	return socket.Addr().String(), func() error {
		err := server.Close()
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// constant answers yes to whatever is asked, for the cost of all but deciding.
type constant struct{}

var errOnlyPlain = errors.New("only what is plain is answered with a constant")

func (constant) Evaluate(context.Context, client.Client, authzen.Questions) (authzen.Answers, error) {
	return authzen.Answers{}, errOnlyPlain
}

func (constant) Quick(_ context.Context, _ client.Client, _ string, _ *scan.Request, allowed []bool) (string, bool) {
	for i := range allowed {
		allowed[i] = true
	}
	return "", true
}
