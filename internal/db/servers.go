package db

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// servers is what a pool knows about the servers that its address names.
type servers struct {
	first atomic.Int64 // which one is tried first, counted on without end
	alone atomic.Int64 // how many commits a server confirmed without its standby
}

// NextServer makes the next connection begin with the server after the one that
// was tried first until now, for whoever found that one no good although it
// answers. With one server, nothing changes.
func (d *DB) NextServer() { d.servers.first.Add(1) }

// watch looks at what servers say beside their answers. One that is told to end
// a wait for its standby says that the commit took place, and that it may not
// have been replicated.
func (s *servers) watch(config *pgx.ConnConfig) {
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.File == "syncrep.c" {
			s.alone.Add(1)
		}
	}
}

// inOrder lets a connection try the servers from the first on. The ways to one
// server, with encryption and without, stay in their order.
func (s *servers) inOrder(_ context.Context, config *pgx.ConnConfig) error {
	ways := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	var starts []int // where the ways to another server begin
	for i, way := range ways {
		if i == 0 || way.Host != ways[i-1].Host || way.Port != ways[i-1].Port {
			starts = append(starts, i)
		}
	}
	turn := starts[s.first.Load()%int64(len(starts))]
	ways = append(ways[turn:len(ways):len(ways)], ways[:turn]...)
	config.Host, config.Port, config.TLSConfig, config.Fallbacks = ways[0].Host, ways[0].Port, ways[0].TLSConfig, ways[1:]
	return nil
}
