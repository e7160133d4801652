package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/outbox"
)

// backlogs tell operators how much has not arrived yet. They are asked of the
// database when somebody looks, and so are true after a restart and for all
// processes together.
type backlogs struct {
	db                    *db.DB
	clock                 bank.Clock
	waiting, dead, oldest *prometheus.Desc
}

func newBacklogs(d *db.DB, clock bank.Clock) *backlogs {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("mandate_outbox_"+name, help, []string{"kind"}, nil)
	}
	return &backlogs{
		db: d, clock: clock,
		waiting: describe("waiting", "Messages that have not arrived yet."),
		dead:    describe("dead", "Messages that were given up."),
		oldest:  describe("oldest_seconds", "Age of the oldest message that waits."),
	}
}

// Describe names the metrics, for prometheus.
func (b *backlogs) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.waiting, b.dead, b.oldest} {
		out <- d
	}
}

// Collect asks the database, for prometheus.
func (b *backlogs) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	var all []outbox.Backlog
	err := b.db.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = outbox.Backlogs(tx)
		return err
	})
	if err != nil {
		out <- prometheus.NewInvalidMetric(b.waiting, err)
		return
	}
	for _, one := range all {
		gauge := func(d *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, string(one.Kind))
		}
		gauge(b.waiting, float64(one.Waiting))
		gauge(b.dead, float64(one.Dead))
		if one.OldestMicro > 0 {
			gauge(b.oldest, b.clock.Now().Sub(time.UnixMicro(one.OldestMicro)).Seconds())
		}
	}
}
