package cli

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/generate"
)

type generateCommand struct {
	Dir           string `arg:"" help:"Folder to write into; made where it is missing."`
	Organizations int    `help:"How many organizations." default:"12"`
	Members       int    `help:"How many members of an organization." default:"10"`
	Accounts      int    `help:"How many accounts of an organization." default:"8"`
	Seed          uint64 `help:"The same seed makes the same files." default:"1"`
	Edition       string `help:"bank or credit_union." default:"bank"`
	Distribution  string `help:"varied: few large organizations, as in life. even: all alike, for benchmarks." default:"varied"`
	JSONLines     bool   `name:"jsonl" help:"JSON Lines instead of CSV."`
}

func (c *generateCommand) Run(t *terminal) error {
	edition, err := bank.ParseEdition(c.Edition)
	if err != nil {
		return fmt.Errorf("--edition: %w", err)
	}
	distribution, err := generate.ParseDistribution(c.Distribution)
	if err != nil {
		return fmt.Errorf("--distribution: %w", err)
	}
	return generate.Write(c.Dir, generate.Options{
		Seed: c.Seed, Organizations: c.Organizations, Members: c.Members, Accounts: c.Accounts,
		Distribution: distribution, Edition: edition, JSONLines: c.JSONLines,
	})
}
