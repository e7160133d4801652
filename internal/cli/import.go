package cli

import (
	"errors"
	"io/fs"

	"mandate/internal/config"
	"mandate/internal/conformance"
	"mandate/internal/db"
	"mandate/internal/importer"
)

type importCommand struct {
	config.Store `embed:""`
	Dir          string `arg:"" help:"Folder with the files." type:"existingdir"`
	DryRun       bool   `help:"Say what would change, and change nothing."`
	Objects      bool   `help:"Name every organization, account and member that is created or changed."`
	JSON         bool   `help:"Print one JSON object a line."`
	Actor        string `help:"Who imports, as history shows it." placeholder:"NAME"`
}

func (c *importCommand) Run(t *terminal) (err error) {
	d, err := c.open(t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	return importer.Command(t.ctx, t.out, t.isTerm, d, door, c.Dir, importer.Options{
		DryRun: c.DryRun, JSON: c.JSON, Objects: c.Objects, Actor: c.Actor,
	})
}

// open opens the store. A dry run only looks, and so it works beside a running
// server, unless there is nothing to look at yet.
func (c *importCommand) open(t *terminal) (*db.DB, error) {
	if c.DryRun {
		d, err := openReadOnly(t, c.Store)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, db.ErrSchemaEmpty) {
			return d, err
		}
	}
	return openStore(t, c.Store)
}

type conformanceCommand struct {
	DB    string   `name:"db" help:"Database to run on: postgres://… . By default an embedded one, made for this and removed." env:"MANDATE_CONFORMANCE_DB" placeholder:"URL"`
	Files []string `arg:"" help:"Vector files." type:"existingfile"`
}

func (c *conformanceCommand) Run(t *terminal) error {
	if conformance.Main(t.ctx, t.out, c.DB, c.Files) != 0 {
		return errQuiet
	}
	return nil
}
