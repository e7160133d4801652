package app

import (
	"context"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// Bounds of reading names for explanations, on a copy.
const (
	nameConnections = 4               // beside the one that follows
	nameTime        = 2 * time.Second // for who explains
)

// names are where a copy reads what people and accounts are called. Explanations
// neither wait for what follows the database nor keep it waiting; what is decided
// is not read here.
type names struct{ db *db.DB }

func openNames(ctx context.Context, url string, clock bank.Clock) (*names, error) {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock, ReadOnly: true, Connections: nameConnections, Wait: nameTime})
	if err != nil {
		return nil, fmt.Errorf("open the database for names: %w", err)
	}
	return &names{d}, nil
}

// Read reads names, or says that there are none at the moment.
func (n *names) Read(ctx context.Context, f func(*db.Tx) error) error {
	short, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	err := n.db.Read(short, f)
	if err != nil && ctx.Err() == nil {
		return fault.New(fault.Unavailable, "The names for an explanation cannot be read now. Ask again, or without an explanation.").Because(err)
	}
	return err
}
