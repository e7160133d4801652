// Package cli is the operator's command line. A command parses, calls one verb
// and prints; it holds no rules. Its exit codes: 0 done, 1 refused or failed,
// 2 the command line itself is wrong.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands are all commands with their flags. Flags win over the environment,
// and that over the file named by --config.
type commands struct {
	ConfigFile kong.ConfigFlag `name:"config" help:"JSON file with settings, named like the flags with underscores." env:"MANDATE_CONFIG" placeholder:"FILE"`

	Serve       serveCommand       `cmd:"" help:"Run the product."`
	Decide      decideCommand      `cmd:"" help:"Run a copy of the decision service, which follows the product's database."`
	Demo        demoCommand        `cmd:"" help:"Run the product with a made-up world, on this machine."`
	Hostsim     hostsimCommand     `cmd:"" help:"Run the simulated core alone, for a product that runs elsewhere."`
	Import      importCommand      `cmd:"" help:"Read an institution from files."`
	Generate    generateCommand    `cmd:"" help:"Write files of a made-up institution, for tests and benchmarks."`
	Explain     explainCommand     `cmd:"" help:"Say why somebody may or may not do something, and what would change it."`
	Conformance conformanceCommand `cmd:"" help:"Run decision vectors through this installation's engine."`
	Verify      verifyCommand      `cmd:"" help:"Prove that the history is whole, and that daily limits are counted as reserved."`
	Institution institutionCommand `cmd:"" help:"Look at institutions and change their settings."`
	Client      clientCommand      `cmd:"" help:"Manage API clients."`
	Keys        keysCommand        `cmd:"" help:"Look at the keys that sign tokens, and change them."`
	Application applicationCommand `cmd:"" help:"Let products in that staff sign in to, and services."`
	Admin       adminCommand       `cmd:"" help:"Let administrators into the console."`
	Provider    providerCommand    `cmd:"" help:"Let an institution's staff sign in through an OpenID provider of its own."`
	Webhook     webhookCommand     `cmd:"" help:"Tell receivers of the institution's choice, signed, when something happened."`
	Directory   directoryCommand   `cmd:"" help:"Connect outside directories that keep staff users, by SCIM."`
	Host        hostCommand        `cmd:"" help:"Look after the way to the institutions' core."`
	Backup      backupCommand      `cmd:"" help:"Write the whole database into one encrypted file, beside a running server, and prove it."`
	Restore     restoreCommand     `cmd:"" help:"Make a database of a backup again, and end what must not come back with it."`
	Held        heldCommand        `cmd:"" help:"Look at what is kept back since a restore, let it go out or give it up."`
	Status      statusCommand      `cmd:"" help:"Say what has not arrived, since when, and what waits for somebody to look at it."`
	Bench       benchCommand       `cmd:"" help:"Measure and print."`
}

// A terminal is what a command talks to.
type terminal struct {
	ctx    context.Context
	out    io.Writer
	err    io.Writer
	clock  bank.Clock
	isTerm bool // out is a terminal: progress may be drawn
}

// logger writes what operators must know to standard error.
func (t *terminal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(t.err, nil)) }

// errQuiet ends a command with exit code 1 after it has said why by itself.
var errQuiet = errors.New("said already")

// Main runs one command line and returns its exit code.
func Main(args []string, out, stderr io.Writer) int {
	var c commands
	code := -1
	parser, err := kong.New(&c,
		kong.Name("mandate"),
		kong.Description("User management and entitlements for business banking."),
		kong.Configuration(readSettings),
		kong.Writers(out, stderr),
		kong.Exit(func(n int) { code = n }),
		kong.UsageOnError(),
	)
	if err != nil {
		panic("cli: " + err.Error()) // the command structure itself is wrong
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // help was asked for
		return code
	}
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &terminal{ctx: ctx, out: out, err: stderr, clock: bank.SystemClock{}, isTerm: isTerminal(out)}
	return t.end(parsed.Run(t))
}

// end says what went wrong, all of it, and returns the exit code.
func (t *terminal) end(err error) int {
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errQuiet) {
		complain(t.err, err)
	}
	return exitFailed
}

func complain(w io.Writer, err error) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		fmt.Fprintln(w, "mandate:", err)
		return
	}
	fmt.Fprintln(w, "mandate:", f.Sentence)
	for _, p := range f.Problems {
		fmt.Fprintf(w, "  %s: %s\n", p.Field, p.Sentence)
	}
	if f.Cause != nil {
		fmt.Fprintln(w, "  because:", f.Cause)
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
