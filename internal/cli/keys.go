package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"mandate/internal/app"
	"mandate/internal/backup"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/grant"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys that sign tokens of an issuer."`
	Rotate keysRotate `cmd:"" help:"Publish the next key, or a day later let it sign."`
	Root   keysRoot   `cmd:"" help:"Change the keys of the data folder, with which secrets in the database are sealed."`
	Reseal keysReseal `cmd:"" help:"Seal anew what is sealed with old keys of the data folder, at once. A running server does it by itself."`
	Backup keysBackup `cmd:"" help:"Make the pair of keys for backups: the secret one into a file, the public one for the settings."`
}

type keysBackup struct {
	File string `arg:"" help:"New file for the secret key. Keep it where the server is not."`
}

func (c *keysBackup) Run(t *terminal) error {
	text, public, err := backup.NewKey()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the secret key: %w", err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write the secret key: %w", err)
	}
	if err := backup.SyncFolder(filepath.Dir(c.File)); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "backup_recipient %s\n", public)
	return nil
}

// keysStore is what every command about signing keys needs.
type keysStore struct {
	config.Store `embed:""`
	Institution  string `required:"" xor:"issuer" help:"The institution's id: its issuer." placeholder:"ID"`
	Neutral      bool   `required:"" xor:"issuer" help:"The issuer at which people choose their institution."`
}

// with opens the room of grants for an operator.
func (c keysStore) with(t *terminal, open opener, do func(*grant.Service, bank.Caller) error) error {
	return withGrants(t, open, c.Store, c.Institution, do)
}

// withGrants opens the room of grants for an operator of an institution, or of
// the neutral issuer.
func withGrants(t *terminal, open opener, of config.Store, institution string, do func(*grant.Service, bank.Caller) error) (err error) {
	store, err := of.WithDefaults()
	if err != nil {
		return err
	}
	keys, err := app.OpenKeys(store.Data)
	if err != nil {
		return err
	}
	d, err := open(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if institution != "" {
		if err := knownInstitution(t, d, institution); err != nil {
			return err
		}
	}
	door := doorOf(d)
	return do(grant.New(d, door, app.ProductPeople{}, keys), operator(institution))
}

func knownInstitution(t *terminal, d *db.DB, institution string) error {
	return d.Read(t.ctx, func(tx *db.Tx) error {
		_, err := app.House(tx, bank.InstitutionID(institution))
		return err
	})
}

type keysList struct {
	keysStore `embed:""`
}

func (c *keysList) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(s *grant.Service, caller bank.Caller) error {
		keys, err := s.Keys(t.ctx, caller.Institution)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tSTATE\tPUBLISHED\tMADE\tSIGNS SINCE\tSIGNED UNTIL")
		for i := range keys {
			k := &keys[i]
			published := "no"
			if k.Published(t.clock.Now()) {
				published = "yes"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.State, published, day(k.Created), day(k.Activated), day(k.Retired))
		}
		return table.Flush()
	})
}

type keysRotate struct {
	keysStore `embed:""`
	AtOnce    bool `name:"at-once" help:"The present key may be stolen: let a new one sign now, and publish the old one no more. Whoever is under way signs in again."`
}

func (c *keysRotate) Run(t *terminal) error {
	return c.with(t, openStore, func(s *grant.Service, caller bank.Caller) error {
		said, err := s.Rotate(t.ctx, caller, c.AtOnce)
		if err == nil {
			fmt.Fprintln(t.out, said)
		}
		return err
	})
}
