package app

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mandate/internal/backup"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/outbox"
	"mandate/internal/seal"
	"mandate/internal/webhook"
)

// How the installation's keys are changed while the product runs.
const (
	rootKeyEvery = 3 * time.Second // how long a changed file may go unseen
	resealEvery  = time.Minute
	resealPage   = 200 // values that are sealed anew in one transaction
)

// sealedIn are the rooms that keep sealed values.
var sealedIn = []struct {
	name   string
	count  func(*db.Tx, string) (all, with int64, err error)
	reseal func(*db.Tx, *seal.Keyring, int) (int, error)
}{
	{"second factors and outside providers", identity.SealedWith, identity.Reseal},
	{"signing keys", grant.SealedWith, grant.Reseal},
	{"waiting mail", outbox.SealedWith, outbox.Reseal},
	{"webhooks", webhook.SealedWith, webhook.Reseal},
}

// Reseal seals anew, page by page, what is not sealed with the key in use. It may
// run in several processes at once, and beside everything else. progress is told
// how much is done.
func Reseal(ctx context.Context, d *db.DB, keys *seal.Keyring, progress func(done int)) (done int, err error) {
	for _, room := range sealedIn {
		for n := resealPage; n == resealPage; {
			err := d.Write(ctx, func(tx *db.Tx) (err error) {
				n, err = room.reseal(tx, keys, resealPage)
				return err
			})
			if err != nil {
				return done, err
			}
			done += n
			progress(done)
		}
	}
	return done, nil
}

// A RootKey is a key of the installation, as operators see it.
type RootKey struct {
	ID     string
	InUse  bool  // it seals; the others only open
	Sealed int64 // values that only this key opens
}

// ListRootKeys lists a data folder's keys and what each has sealed. Of what no
// key of the folder opens, strange counts how much there is.
func ListRootKeys(ctx context.Context, dir string, d *db.DB) (keys []RootKey, strange int64, err error) {
	ids, _, err := RootKeys(dir)
	if err != nil {
		return nil, 0, err
	}
	err = d.Read(ctx, func(tx *db.Tx) error {
		keys, strange = nil, 0
		for i, id := range ids {
			key := RootKey{ID: id, InUse: i == 0}
			total := int64(0)
			for _, room := range sealedIn {
				all, with, err := room.count(tx, id)
				if err != nil {
					return err
				}
				key.Sealed, total = key.Sealed+with, total+all
			}
			if i == 0 {
				strange = total
			}
			strange -= key.Sealed
			keys = append(keys, key)
		}
		return nil
	})
	return keys, strange, err
}

// AddRootKey makes a further key. It seals nothing yet: first every process that
// works on the database must hold it.
func AddRootKey(dir string, now time.Time) (id string, err error) {
	err = changeRootKeys(dir, func(keys rootKeys) (rootKeys, error) {
		id = "root-" + now.UTC().Format("20060102T150405")
		if keys.find(id) >= 0 {
			return nil, fault.New(fault.Conflict, "A key was made in this second. Try again.")
		}
		return append(keys, newRootKey(id)), nil
	})
	return id, err
}

// UseRootKey lets a key seal. The one before goes on opening.
func UseRootKey(dir, id string) error {
	return changeRootKeys(dir, func(keys rootKeys) (rootKeys, error) {
		i := keys.find(id)
		if i < 0 {
			return nil, noRootKey(id)
		}
		key := keys[i]
		return append(rootKeys{key}, slices.Delete(slices.Clone(keys), i, i+1)...), nil
	})
}

// RetireRootKey takes a key away that nothing is sealed with any more.
func RetireRootKey(ctx context.Context, dir, id string, d *db.DB) error {
	keys, _, err := ListRootKeys(ctx, dir, d)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k RootKey) bool { return k.ID == id })
	switch {
	case i < 0:
		return noRootKey(id)
	case keys[i].InUse:
		return fault.New(fault.Conflict, "This key seals. Let another one seal first: mandate keys root use.")
	case keys[i].Sealed > 0:
		return fault.Newf(fault.Conflict, "%d values are still sealed with this key. A running server seals them anew within minutes; mandate keys reseal does it at once.", keys[i].Sealed)
	}
	return changeRootKeys(dir, func(keys rootKeys) (rootKeys, error) {
		i := keys.find(id)
		if i <= 0 {
			return nil, noRootKey(id)
		}
		return slices.Delete(slices.Clone(keys), i, i+1), nil
	})
}

func noRootKey(id string) error {
	return fault.Newf(fault.NotFound, "There is no key %q in the data folder. mandate keys root list says which there are.", id)
}

// changeRootKeys writes the changed keys beside the file and then gives them its
// name: whoever reads finds the old ones or the new ones.
func changeRootKeys(dir string, change func(rootKeys) (rootKeys, error)) error {
	keys, err := openRootKeys(dir)
	if err != nil {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	path := filepath.Join(dir, rootKeyFile)
	if err := os.Remove(path + ".new"); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("change the root key: %w", err)
	}
	if err := writeNew(path+".new", keys.text()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("change the root key: %w", err)
	}
	return backup.SyncFolder(dir)
}

// followRootKeys takes over what an operator changed in the file. What cannot be
// read changes nothing.
func (a *App) followRootKeys() error {
	text, err := os.ReadFile(filepath.Join(a.Config.Data, rootKeyFile))
	if err != nil {
		return fmt.Errorf("read the root key again: %w", err)
	}
	if bytes.Equal(text, a.root.Load().text()) {
		return nil
	}
	keys, err := parseRootKeys(text)
	if err != nil {
		return fmt.Errorf("the changed root key is not used: %w", err)
	}
	ring, err := keys.keyring()
	if err != nil {
		return fmt.Errorf("the changed root key is not used: %w", err)
	}
	a.root.Store(&keys)
	a.keys.Become(ring)
	a.Log.Info("the root key was changed", "in_use", keys[0].id, "keys", len(keys))
	return nil
}

// resealAll is what the product does about old keys by itself.
func (a *App) resealAll(ctx context.Context) error {
	n, err := Reseal(ctx, a.DB, a.keys, func(int) {})
	if n > 0 {
		a.Log.Info("sealed anew", "values", n, "with", a.keys.Active())
	}
	return err
}

// derived are the keys for one purpose as they are whenever they are asked for,
// of all root keys: the first signs, all are taken for ours.
func (a *App) derived(purpose string) func() [][]byte {
	return func() (keys [][]byte) {
		for _, one := range *a.root.Load() {
			keys = append(keys, one.derive(purpose))
		}
		return keys
	}
}
