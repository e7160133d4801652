package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/backup"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/outbox"
)

type restoreCommand struct {
	config.Store   `embed:""`
	File           string `arg:"" help:"The backup." type:"existingfile"`
	Identity       string `help:"File with the secret key, AGE-SECRET-KEY-…." type:"existingfile" placeholder:"FILE"`
	PassphraseFile string `name:"passphrase-file" help:"File with the passphrase, where the backup was made with one." type:"existingfile" placeholder:"FILE"`
	Look           bool   `help:"Only read the backup through and say what it holds."`
	Over           bool   `name:"over-everything-there" help:"Throw away whatever the database holds now."`
	Anchor         string `help:"File of heads that was kept elsewhere: say what is known to be newer than the backup." type:"existingfile" placeholder:"FILE"`
	Programs       string `name:"pg-programs" help:"Folder of PostgreSQL's own programs, of the server's version. By default they are looked for." env:"MANDATE_PG_PROGRAMS" placeholder:"DIR"`
}

// Run restores while no server runs.
func (c *restoreCommand) Run(t *terminal) error {
	began := time.Now()
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	passphrase, err := passphraseIn(c.PassphraseFile)
	if err != nil {
		return err
	}
	identities, err := backup.Identities(c.Identity, passphrase)
	if err != nil {
		return err
	}
	if c.Look {
		found, err := backup.Look(t.ctx, c.File, identities)
		if err == nil {
			describe(t, found.Manifest, found.Heads)
		}
		return err
	}
	var anchors []activity.Anchor
	if c.Anchor != "" {
		if anchors, err = readAnchors(c.Anchor); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(workFolder(store), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	var renewed app.Renewed
	var newer []string
	restored, err := backup.Restore(t.ctx, backup.Restoration{
		File: c.File, Identities: identities, URL: store.DB, Work: workFolder(store), Over: c.Over, Programs: c.Programs, Clock: t.clock, Progress: t.progress,
		RootKey: func(text []byte) error { return app.KeepRootKeys(store.Data, text) },
		Renew: func(ctx context.Context, d *db.DB, from backup.Manifest) (err error) {
			err = d.Read(ctx, func(tx *db.Tx) (err error) {
				newer, err = newerThan(tx, anchors)
				return err
			})
			if err != nil {
				return err
			}
			renewed, err = app.Renew(ctx, d, nil, from)
			return err
		},
	})
	t.clearLine()
	if err != nil {
		return err
	}
	describe(t, restored.Manifest, restored.Heads)
	fmt.Fprintf(t.out, "restored  in %s, and proven; epoch %d begins\n", time.Since(began).Round(time.Millisecond), renewed.Epoch)
	fmt.Fprintf(t.out, "ended     every sign-in, link, revision token and approval under way, and all that products had, of %d institutions\n", len(renewed.Institutions))
	c.report(t, store, restored, renewed, newer)
	return nil
}

// report says what somebody must look at before the day goes on.
func (c *restoreCommand) report(t *terminal, store config.Store, restored backup.Restored, renewed app.Renewed, newer []string) {
	for _, h := range renewed.Held {
		fmt.Fprintf(t.out, "held      %s of %s: %s\n", h.Kind, h.Institution, heldText(h))
	}
	for _, c := range renewed.Clients {
		fmt.Fprintf(t.out, "held      %s of %s: %s %s is kept out\n", app.HeldClients, c.Institution, c.ID, c.Name)
	}
	if missing := app.MissingRootKeys(store.Data, restored.Manifest.KeyIDs); len(missing) > 0 {
		fmt.Fprintf(t.out, "missing   root.key of %s lacks the keys %v: second factors and signing keys sealed with them cannot be opened; put the copy there before you start\n", filepath.Clean(store.Data), missing)
	}
	for _, line := range newer {
		fmt.Fprintf(t.out, "newer     %s\n", line)
	}
	if c.Anchor == "" {
		fmt.Fprintf(t.out, "newer     nobody gave the heads (--anchor), so what happened after %s is not known here\n", restored.Manifest.Made.UTC().Format(time.DateTime+" UTC"))
	}
	fmt.Fprintln(t.out, "Whatever was taken away after the backup is back: people who were held, locked or deleted, permissions, secrets of products. See to that first.")
	fmt.Fprintln(t.out, "Programs are kept out, because keys that were revoked after the backup are back, too: mandate held drop --kind client CLIENT ends one, mandate held release --kind client lets in all others.")
	fmt.Fprintln(t.out, "Then look at what is held: mandate held list, held release, held drop. Webhooks are paused until staff let them go on.")
}

// newerThan says of which histories more was known elsewhere than is here.
func newerThan(tx *db.Tx, anchors []activity.Anchor) (lines []string, err error) {
	for _, a := range anchors {
		standing, sequence, err := activity.Stand(tx, a)
		if err != nil {
			return nil, err
		}
		switch standing {
		case activity.Shorter:
			lines = append(lines, fmt.Sprintf("institution %s, organization %q: %d events after event %d are not here", a.Institution, a.Organization, a.Sequence-sequence, sequence))
		case activity.Differs:
			lines = append(lines, fmt.Sprintf("institution %s, organization %q: event %d is not the one that was there", a.Institution, a.Organization, a.Sequence))
		}
	}
	return lines, nil
}

func heldText(h outbox.Hold) string {
	text := fmt.Sprintf("%d that waited are kept back", h.Waiting)
	if h.Everything {
		text += ", and so is all that is added"
	}
	return text
}

type heldCommand struct {
	List    heldList    `cmd:"" help:"List what is kept back."`
	Release heldRelease `cmd:"" help:"Let it go out."`
	Drop    heldDrop    `cmd:"" help:"Give it up, or one message of it."`
}

type heldList struct {
	config.Store `embed:""`
}

func (c *heldList) Run(t *terminal) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Read(t.ctx, func(tx *db.Tx) error { return t.held(tx, true) })
}

// mostHeld is how many messages of a kind are listed.
const mostHeld = 100

// held lists what is kept back since a restore, with each message where asked.
func (t *terminal) held(tx *db.Tx, each bool) error {
	holds, err := outbox.Holds(tx)
	if err != nil {
		return err
	}
	clients, err := client.Held(tx, "")
	if err != nil {
		return err
	}
	t.heldClients(clients, each)
	for _, h := range holds {
		fmt.Fprintf(t.out, "held back since a restore: %s of %s: %s\n", h.Kind, h.Institution, heldText(h))
		if !each {
			continue
		}
		letters, err := outbox.Undelivered(tx, h.Institution, h.Kind, "", mostHeld)
		if err != nil {
			return err
		}
		for _, l := range letters {
			fmt.Fprintf(t.out, "  %s  %s  %s  %s\n", l.ID, l.Queued.Format(time.DateTime), l.State, l.Key)
		}
	}
	if len(holds)+len(clients) == 0 && each {
		fmt.Fprintln(t.out, "Nothing is held back.")
	}
	return nil
}

// heldClients lists the programs that are kept out, one by one or a line for each
// institution.
func (t *terminal) heldClients(clients []client.Client, each bool) {
	for i, c := range clients {
		if i == 0 || c.Institution != clients[i-1].Institution {
			n := 0
			for _, other := range clients {
				if other.Institution == c.Institution {
					n++
				}
			}
			fmt.Fprintf(t.out, "held back since a restore: %s of %s: %d programs are kept out\n", app.HeldClients, c.Institution, n)
		}
		if each {
			fmt.Fprintf(t.out, "  %s  %s  last used %s  %s\n", c.ID, c.Created.Format(time.DateTime), day(c.LastUsed), c.Name)
		}
	}
}

// heldKind names what to let go or to give up.
type heldKind struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
	Kind         string `required:"" help:"client, mail, host, webhook or logout." placeholder:"KIND"`
}

type heldRelease struct {
	heldKind `embed:""`
	Client   string `arg:"" optional:"" help:"Of clients, only the one of this id; without one, all."`
}

func (c *heldRelease) Run(t *terminal) (err error) {
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	n, err := app.ReleaseHeld(t.ctx, d, operator(c.Institution), outbox.Kind(c.Kind), c.Client)
	switch {
	case err != nil:
		return err
	case outbox.Kind(c.Kind) == app.HeldClients:
		fmt.Fprintf(t.out, "%d programs are let in.\n", n)
	default:
		fmt.Fprintf(t.out, "%d of %s go out now.\n", n, c.Kind)
	}
	return nil
}

type heldDrop struct {
	heldKind `embed:""`
	Message  string `arg:"" optional:"" help:"Only this message or client; without one, all of the kind."`
}

func (c *heldDrop) Run(t *terminal) (err error) {
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	n, err := app.DropHeld(t.ctx, d, operator(c.Institution), outbox.Kind(c.Kind), c.Message)
	switch {
	case err != nil:
		return err
	case outbox.Kind(c.Kind) == app.HeldClients:
		fmt.Fprintf(t.out, "%d programs are revoked.\n", n)
	default:
		fmt.Fprintf(t.out, "%d of %s will never go out.\n", n, c.Kind)
	}
	return nil
}
