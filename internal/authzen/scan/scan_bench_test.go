package scan

import (
	"strings"
	"testing"
)

const usual = `{"subject":{"type":"user","id":"usr_01890000-0000-7000-8000-000000000001"},"action":{"name":"wires.transmit","properties":{"amount":"1000.00"}},"resource":{"type":"account","id":"acc_01890000-0000-7000-8000-000000000001"}}`

func BenchmarkEvaluation(b *testing.B) {
	var r Request
	b.ReportAllocs()
	b.SetBytes(int64(len(usual)))
	for b.Loop() {
		if !r.Evaluation(usual) {
			b.Fatal("it is not plain")
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	var r Request
	body := `{"evaluations":[` + strings.Repeat(usual+",", 99) + usual + `]}`
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if !r.Batch(body, 1000) {
			b.Fatal("it is not plain")
		}
	}
}

// Reading allocates nothing once its memory has grown.
func TestReadingAllocatesNothing(t *testing.T) {
	var r Request
	body := `{"evaluations":[` + usual + `,` + usual + `]}`
	if n := testing.AllocsPerRun(100, func() {
		if !r.Evaluation(usual) || !r.Batch(body, 2) {
			t.Fatal("it is not plain")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
