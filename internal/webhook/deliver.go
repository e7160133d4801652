package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
)

// Bounds of delivering. A message that does not arrive is tried again after 5
// seconds, and then twice as long each time, up to six hours: twenty attempts
// take a little over two days.
const (
	width        = 32               // endpoints that are told something at the same time, by one process
	batch        = 50               // messages that one endpoint is sent before that is stored
	batchTime    = 20 * time.Second // no message is begun after that
	lease        = 90 * time.Second // of whoever sends to an endpoint
	maxAttempts  = 20
	firstPause   = 5 * time.Second
	longPause    = 6 * time.Hour
	endpointRest = 10 * time.Minute   // the longest rest of an endpoint that fails
	stopAfter    = 3 * 24 * time.Hour // of nothing but failures an endpoint is stopped
	pollEvery    = 5 * time.Second    // looks without being woken, for other processes' messages

	keepDone  = 7 * 24 * time.Hour
	keepOther = 14 * 24 * time.Hour
	pruneMost = 5000 // rows at a time
)

// A Post sends one message and says what came of it. It waits for nobody, follows
// nothing, and calls nothing inside.
type Post func(ctx context.Context, url string, headers map[string]string, body []byte) Outcome

// An Outcome is what came of an attempt.
type Outcome struct {
	Status int           // zero: there was no answer
	After  time.Duration // how long the receiver asks to be left alone; zero: it does not
	Why    string        // of no answer, as a sentence for staff
}

func (o Outcome) arrived() bool { return o.Status >= 200 && o.Status <= 299 }
func (o Outcome) gone() bool    { return o.Status == 410 }

// sentence says what came of it, and nothing of what the receiver wrote.
func (o Outcome) sentence() string {
	switch {
	case o.Status == 0:
		return o.Why
	case o.Status >= 300 && o.Status <= 399:
		return fmt.Sprintf("The receiver answered %d. Redirects are not followed.", o.Status)
	}
	return fmt.Sprintf("The receiver answered %d.", o.Status)
}

// Wake makes the room look now for what it can send. It never waits.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Several processes may run at once.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	free := make(chan struct{}, width)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		taken, err := s.take(ctx, width-len(free))
		if err != nil && ctx.Err() == nil {
			s.log.Error("looking for webhooks failed", "error", err)
		}
		for _, t := range taken {
			free <- struct{}{}
			all.Go(func() {
				defer func() { <-free; s.Wake() }()
				if err := s.carry(ctx, t); err != nil && ctx.Err() == nil {
					s.log.Error("delivering webhooks failed", "endpoint", t.ID, "error", err)
				}
			})
		}
		timer.Reset(pollEvery)
	}
}

// Deliver sends what is due now, once, endpoint after endpoint, and returns how
// many messages were tried. It is for tests and the demo; Run does it by itself.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	taken, err := s.take(ctx, width)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, t := range taken {
		tried, err := s.carryCounted(ctx, t)
		n += tried
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// A turn is the right to send to an endpoint, until its lease ends.
type turn struct {
	Endpoint
	lease int64 // its end, which nobody else has
}

// take leases endpoints that something is due for. There is one sender for each
// endpoint at a time, so that its messages go in order.
func (s *Service) take(ctx context.Context, most int) (turns []turn, err error) {
	if most <= 0 {
		return nil, nil
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		end := tx.Now.Add(lease).UnixMicro()
		turns, err = db.All(tx, func(row db.Scanner) (t turn, err error) {
			t.lease = end
			err = row.Scan(&t.Institution, &t.ID)
			return t, err
		}, `
			update webhook_endpoint set lease_micros = $1
			 where state = 'active' and due_micros <= $2 and lease_micros <= $2 and id in (
				select e.id from webhook_endpoint e
				 where e.state = 'active' and e.due_micros <= $2 and e.lease_micros <= $2
				   and exists (select 1 from webhook_delivery d
				                where d.institution_id = e.institution_id and d.endpoint_id = e.id and d.state = 'waiting' and d.due_micros <= $2)
				 order by e.due_micros, e.id limit $3)
			returning institution_id, id`, end, tx.Now.UnixMicro(), most)
		if err != nil {
			return fmt.Errorf("take webhooks: %w", err)
		}
		for i := range turns {
			if turns[i].Endpoint, err = db.One(tx, scanEndpoint, selectEndpoint+` where institution_id = $1 and id = $2`, turns[i].Institution, turns[i].ID); err != nil {
				return fmt.Errorf("read the webhook: %w", err)
			}
		}
		return nil
	})
	return turns, err
}

func (s *Service) carry(ctx context.Context, t turn) error {
	_, err := s.carryCounted(ctx, t)
	return err
}

// A parcel is a message on its way, and then what came of it.
type parcel struct {
	id, name string
	body     []byte
	attempts int
	created  time.Time
	outcome  Outcome
}

// carryCounted sends an endpoint what is due for it, in order, up to the first
// that does not arrive, and stores what came of all of it at once: after a crash
// some go out twice, which their ids tell.
func (s *Service) carryCounted(ctx context.Context, t turn) (int, error) {
	parcels, now, err := s.due(ctx, t)
	if err != nil {
		return 0, err
	}
	secrets, err := s.secrets(t.Endpoint, now)
	if err != nil {
		return 0, err
	}
	began := time.Now() // how long it takes, on no calendar
	sent := 0
	for i := range parcels {
		if ctx.Err() != nil || time.Since(began) > batchTime {
			break
		}
		p := &parcels[i]
		h, err := headers(p.id, s.db.Now(), p.body, secrets...)
		if err != nil {
			return sent, err
		}
		p.outcome = s.post(ctx, t.URL, h, p.body)
		if ctx.Err() != nil { // the program ends: that says nothing of the receiver
			break
		}
		sent++
		if !p.outcome.arrived() {
			break
		}
	}
	return sent, s.settle(context.WithoutCancel(ctx), t, parcels[:sent])
}

func (s *Service) due(ctx context.Context, t turn) (parcels []parcel, now time.Time, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		now = tx.Now
		parcels, err = db.All(tx, func(row db.Scanner) (p parcel, err error) {
			var created int64
			err = row.Scan(&p.id, &p.name, &p.body, &p.attempts, &created)
			p.created = at(created)
			return p, err
		}, `
			select id, name, body, attempts, created_micros from webhook_delivery
			 where institution_id = $1 and endpoint_id = $2 and state = 'waiting' and due_micros <= $3
			 order by number, id limit $4`, t.Institution, t.ID, tx.Now.UnixMicro(), batch)
		return err
	})
	if err != nil {
		return nil, now, fmt.Errorf("read what is due: %w", err)
	}
	return parcels, now, nil
}

// secrets are those that sign now.
func (s *Service) secrets(e Endpoint, now time.Time) ([]string, error) {
	sealed := [][]byte{e.secret}
	if len(e.oldSecret) > 0 && now.Before(e.OldEnds) {
		sealed = append(sealed, e.oldSecret)
	}
	var all []string
	for _, one := range sealed {
		plain, err := s.keys.Open(one, place(e)...)
		if err != nil {
			return nil, fmt.Errorf("open the secret of %s: %w", e.ID, err)
		}
		all = append(all, string(plain))
	}
	return all, nil
}

// pause is how long to wait after an attempt, of the first kind, doubling.
func pause(attempt int, most time.Duration) time.Duration {
	return min(firstPause<<min(max(attempt, 1)-1, 20), most)
}

// settle stores what came of a turn. Only whoever has the lease may: after its
// end somebody else does.
func (s *Service) settle(ctx context.Context, t turn, sent []parcel) error {
	stop := ""
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		stop = ""
		e, err := db.One(tx, scanEndpoint, selectEndpoint+` where institution_id = $1 and id = $2 and lease_micros = $3`, t.Institution, t.ID, t.lease)
		if err != nil {
			return ignoreGone(err)
		}
		dead := false
		for i := range sent {
			given, err := settleOne(tx, e, &sent[i])
			if err != nil {
				return err
			}
			dead = dead || given
		}
		due := e.take(tx.Now, sent)
		if stop = e.mustStop(tx.Now, sent); stop == "" && dead && e.told.IsZero() {
			e.told = tx.Now
			if err := s.teller.WebhookFails(tx, e, "webhook dead "+string(e.ID)+" "+moment(e.FailingSince), "A message was given up after many attempts."); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`
			update webhook_endpoint
			   set lease_micros = 0, due_micros = $1, failed = $2, failing_micros = $3, succeeded_micros = $4, answer = $5, told_micros = $6
			 where institution_id = $7 and id = $8 and lease_micros = $9`,
			micros(due), e.Failed, micros(e.FailingSince), micros(e.Succeeded), e.Answer, micros(e.told), e.Institution, e.ID, t.lease)
		if err != nil {
			return fmt.Errorf("settle webhooks: %w", err)
		}
		return nil
	})
	if err != nil || stop == "" {
		return err
	}
	return s.stop(ctx, t.Endpoint, State(stop))
}

// ignoreGone is for an endpoint that was deleted, or that somebody else has now.
func ignoreGone(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return fmt.Errorf("read the webhook: %w", err)
}

// take notes in an endpoint what came of its messages, and says when it is tried
// again at the earliest; zero: at once.
func (e *Endpoint) take(now time.Time, sent []parcel) (due time.Time) {
	for i := range sent {
		o := &sent[i].outcome
		e.Answer = o.sentence()
		if o.arrived() {
			e.Succeeded, e.Failed, e.FailingSince, e.told = now, 0, time.Time{}, time.Time{}
			continue
		}
		if e.Failed++; e.FailingSince.IsZero() {
			e.FailingSince = now
		}
		due = now.Add(max(pause(e.Failed, endpointRest), min(o.After, time.Hour)))
	}
	return due
}

// mustStop is the state that an endpoint goes to by what its receiver does.
func (e *Endpoint) mustStop(now time.Time, sent []parcel) string {
	switch {
	case len(sent) > 0 && sent[len(sent)-1].outcome.gone():
		return string(Gone)
	case !e.FailingSince.IsZero() && now.Sub(e.FailingSince) >= stopAfter:
		return string(Failing)
	}
	return ""
}

// settleOne stores what came of one message, and reports whether it was given up.
// While it is tried again soon nothing passes it; later others go on.
func settleOne(tx *db.Tx, e Endpoint, p *parcel) (dead bool, err error) {
	p.attempts++
	state, due, settled := Done, tx.Now, tx.Now
	switch {
	case p.outcome.arrived():
	case p.attempts >= maxAttempts:
		state, dead = Dead, true
	default:
		state, due, settled = Waiting, tx.Now.Add(pause(p.attempts, longPause)), time.Time{}
	}
	_, err = tx.Exec(`
		update webhook_delivery set state = $1, attempts = $2, due_micros = $3, settled_micros = $4, answer = $5
		 where institution_id = $6 and endpoint_id = $7 and id = $8 and state = 'waiting'`,
		state, p.attempts, due.UnixMicro(), micros(settled), p.outcome.sentence(), e.Institution, e.ID, p.id)
	if err != nil {
		return false, fmt.Errorf("settle a webhook: %w", err)
	}
	return dead, nil
}

// stop ends the sending to an endpoint, through the door, and tells staff.
func (s *Service) stop(ctx context.Context, e Endpoint, to State) error {
	caller := bank.System(e.Institution)
	a := guard.Action{Event: EventStopped, Target: e.target(), Others: []bank.ActorKind{bank.ActorSystem}}
	return s.guard.Do(ctx, caller, a, func(c *guard.Change) error {
		e, err := find(c.Tx, e.Institution, e.ID)
		if err != nil || e.State != Active {
			return err
		}
		sentence := "Nothing arrived for three days, so that nothing is sent any more. What happens waits, for two weeks at most."
		if to == Gone {
			sentence = "The receiver said that it is gone, so that nothing is sent any more."
		}
		if _, err := c.Tx.Exec(`update webhook_endpoint set state = $1, revision = revision + 1, told_micros = $2 where institution_id = $3 and id = $4`,
			to, c.Tx.Now.UnixMicro(), e.Institution, e.ID); err != nil {
			return fmt.Errorf("stop the webhook: %w", err)
		}
		c.RecordAs(EventStopped, e.target(), sentence, activity.Change{Field: "state", Old: string(Active), New: string(to)})
		return s.teller.WebhookFails(c.Tx, e, "webhook "+string(to)+" "+string(e.ID)+" "+moment(c.Tx.Now), sentence)
	})
}

// Prune forgets old messages: a week after they arrived, two weeks after they
// happened.
func (s *Service) Prune(ctx context.Context) error {
	for {
		var n int64
		err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
			n, err = tx.Exec(`
				delete from webhook_delivery where (institution_id, endpoint_id, id) in (
					select institution_id, endpoint_id, id from webhook_delivery
					 where created_micros < $1 and (state = 'done' or created_micros < $2) limit $3)`,
				tx.Now.Add(-keepDone).UnixMicro(), tx.Now.Add(-keepOther).UnixMicro(), pruneMost)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old webhooks: %w", err)
		}
		if n < pruneMost {
			return nil
		}
	}
}
