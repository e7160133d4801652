package app

import (
	"testing"

	"mandate/internal/db"
	"mandate/internal/outbox"
)

// What waits and what was given up is counted; a database that is away is said.
func TestBacklogsAreMeasured(t *testing.T) {
	a := openApp(t)
	err := a.DB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := outbox.Queue(tx, outbox.Message{Institution: "first", Kind: outbox.Mail, Key: "one", Payload: []byte("{}")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	families, err := a.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if m.GetGauge() != nil && len(m.GetLabel()) == 1 {
				values[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	if got := values["mandate_outbox_waiting mail"]; got != 1 {
		t.Errorf("waiting = %v of %v", got, values)
	}
	if got, there := values["mandate_outbox_dead mail"]; got != 0 || !there {
		t.Errorf("dead = %v, %v", got, there)
	}
	if got, there := values["mandate_outbox_oldest_seconds mail"]; got < 0 || got > 60 || !there {
		t.Errorf("oldest = %v, %v", got, there)
	}
	if err := a.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Metrics.Gather(); err == nil {
		t.Error("a database that is away is not said")
	}
}
