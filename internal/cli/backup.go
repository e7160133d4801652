package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/backup"
	"mandate/internal/config"
	"mandate/internal/fault"
)

type backupCommand struct {
	config.Store   `embed:""`
	config.Backup  `embed:""`
	Folder         string `arg:"" help:"Folder for the file, mandate-TIME.age." type:"existingdir"`
	PassphraseFile string `name:"passphrase-file" help:"Encrypt with the passphrase in this file, instead of for public keys." type:"existingfile" placeholder:"FILE"`
	WithRootKey    bool   `name:"with-root-key" help:"Put the keys of the data folder into the backup, too. Without this, keep a copy of them elsewhere."`
	CheckAt        string `name:"check-at" help:"PostgreSQL: an empty database to restore into, for the proof. By default one is made on the same server, and removed." placeholder:"URL"`
	Anchor         string `name:"anchor" help:"Write the heads of all histories into this file, to be kept elsewhere." placeholder:"FILE"`
}

// Run backs up beside a running server.
func (c *backupCommand) Run(t *terminal) (err error) {
	began := time.Now()
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	ids, root, err := app.RootKeys(store.Data)
	if err != nil {
		return err
	}
	if !c.WithRootKey {
		root = nil
	}
	passphrase, err := passphraseIn(c.PassphraseFile)
	if err != nil {
		return err
	}
	d, err := openReadOnly(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	to, err := filepath.Abs(filepath.Join(c.Folder, backup.FileName(t.clock.Now())))
	if err != nil {
		return err
	}
	keys := backup.Keys{Recipients: c.Recipients, Passphrase: passphrase}
	if passphrase != "" {
		keys.Recipients = nil
	}
	made, err := backup.Make(t.ctx, backup.Order{
		DB: d, URL: store.DB, Work: workFolder(store), To: to, Keys: keys, KeyIDs: ids, RootKey: root,
		Programs: c.Programs, CheckAt: c.CheckAt, Progress: t.progress,
	})
	t.clearLine()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s  %d bytes\nsha256    %s\n", to, made.Bytes, made.SHA256)
	describe(t, made.Manifest, made.Heads)
	fmt.Fprintf(t.out, "proven    restored from the file and compared, in %s\n", time.Since(began).Round(time.Millisecond))
	if !c.WithRootKey && len(ids) > 0 {
		fmt.Fprintf(t.out, "not in it root.key of the data folder, with the keys %s: keep a copy of it elsewhere\n", strings.Join(ids, ", "))
	}
	if c.Anchor != "" {
		return writeAnchors(c.Anchor, made.Heads)
	}
	return nil
}

// describe says what a backup holds.
func describe(t *terminal, m backup.Manifest, heads []activity.Anchor) {
	events, rows := int64(0), int64(0)
	for _, h := range heads {
		events += h.Sequence
	}
	for _, n := range m.Rows {
		rows += n
	}
	fmt.Fprintf(t.out, "made      %s, of %s, epoch %d, migration %d\n", m.Made.UTC().Format(time.DateTime+" UTC"), m.Database, m.Epoch, slices.Max(m.Migrations))
	fmt.Fprintf(t.out, "holds     %d rows in %d tables, %d histories with %d events\n", rows, len(m.Rows), len(heads), events)
}

// workFolder is where a database may lie unencrypted for a while: where it does
// already.
func workFolder(store config.Store) string {
	if path, ok := strings.CutPrefix(store.DB, "sqlite:"); ok {
		return filepath.Dir(path)
	}
	return store.Data
}

func passphraseIn(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	passphrase := strings.TrimRight(string(text), "\r\n")
	if passphrase == "" {
		return "", fault.Newf(fault.Invalid, "There is no passphrase in %s.", file)
	}
	return passphrase, nil
}

// progress shows how far a long work has come.
func (t *terminal) progress(what string, done, all int64) {
	switch {
	case !t.isTerm:
	case all > 0:
		fmt.Fprintf(t.out, "\r\033[K%s: %d %%", what, done*100/all)
	case done > 0:
		fmt.Fprintf(t.out, "\r\033[K%s: %d", what, done)
	default:
		fmt.Fprintf(t.out, "\r\033[K%s", what)
	}
}

func (t *terminal) clearLine() {
	if t.isTerm {
		fmt.Fprint(t.out, "\r\033[K")
	}
}

// writeAnchors writes heads line by line, and gives the file its name at the end:
// whoever else writes it has a file of their own until then.
func writeAnchors(path string, heads []activity.Anchor) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.unfinished") // its owner's only
	if err != nil {
		return fmt.Errorf("write the heads: %w", err)
	}
	defer os.Remove(file.Name()) // it has another name by then, or is of no use
	out := bufio.NewWriter(file)
	for _, h := range heads {
		if err = json.NewEncoder(out).Encode(h); err != nil {
			break
		}
	}
	if err = errors.Join(err, out.Flush(), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write the heads: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write the heads: %w", err)
	}
	return backup.SyncFolder(filepath.Dir(path))
}

// readAnchors reads heads that were kept. A file without any, or of something else,
// would prove nothing.
func readAnchors(path string) (heads []activity.Anchor, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the heads: %w", err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	for {
		var h activity.Anchor
		err := decoder.Decode(&h)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && (h.Institution == "" || h.Sequence < 1 || h.Hash == "") {
			err = errors.New("a head names its institution, event and hash")
		}
		if err != nil {
			return nil, fmt.Errorf("%s is not a file of heads: %w", path, err)
		}
		heads = append(heads, h)
	}
	if len(heads) == 0 {
		return nil, fault.Newf(fault.Invalid, "There are no heads in %s, so nothing can be compared with them.", path)
	}
	return heads, nil
}
