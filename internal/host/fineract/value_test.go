package fineract

import (
	"encoding/json"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Amounts are read to the cent or not at all.
func TestCents(t *testing.T) {
	for text, want := range map[string]bank.Cents{
		"0": 0, "0.000000": 0, "0E-7": 0, "1": 100, "1000.000000": 1_000_00, "-10.5": -10_50, "0.07": 7, "1E+3": 1_000_00,
		"90071992547409.93": 9007199254740993, "92233720368547758.07": 9223372036854775807, `"12.30"`: 12_30,
	} {
		var a amount
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Errorf("read %s: %v", text, err)
		}
		if got, err := a.cents(); err != nil || got != want {
			t.Errorf("%s is %v cents, %v, want %d", text, int64(got), err, int64(want))
		}
	}
	for _, text := range []string{"0.001", "10.005000", "0.0000001", "1E-3", "92233720368547758.08", "1E+99", "1E+999999999", "null", strings.Repeat("1", 41)} {
		var a amount
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			continue
		}
		if got, err := a.cents(); err == nil {
			t.Errorf("%s is taken for %d cents", text, int64(got))
		}
	}
	for _, text := range []string{`"ten"`, `true`, `[1]`, `{}`} {
		var a amount
		if json.Unmarshal([]byte(text), &a) == nil {
			t.Errorf("%s is read as an amount", text)
		}
	}
}

// A mark fits where Fineract has least room, and is found behind any memo.
func TestMarks(t *testing.T) {
	o := host.Order{Institution: "cedar", Room: "transfer", Ref: strings.Repeat("long", 100), Memo: strings.Repeat("é MND- ", 50)}
	m, err := markOf(&o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.String()); n > 50 || n != markLetters {
		t.Errorf("the mark has %d letters", n)
	}
	for _, memo := range []string{"", "Rent", o.Memo, "two\nlines"} {
		text := described(memo, m)
		if found, marked := in(text); !marked || found != m || len([]rune(text)) > 100 {
			t.Errorf("in(%q): %v, %v", text, found, marked)
		}
	}
	if got := memoOf(described("Rent  for March", m)); got != "Rent for March" {
		t.Errorf("memoOf: %q", got)
	}
	if got := memoOf("Somebody else's"); got != "Somebody else's" {
		t.Errorf("memoOf: %q", got)
	}
	for _, text := range []string{"", "MND-", "MND-SHORT", "x"} {
		if _, marked := in(text); marked {
			t.Errorf("in(%q) finds a mark", text)
		}
	}
}

func TestRefs(t *testing.T) {
	if refOf(27) != "0000000027" {
		t.Errorf("refOf(27) is %s", refOf(27))
	}
	for ref, want := range map[host.Ref]int64{"0000000027": 27, "27": 0, "": 0, "0000000000": 0, "-000000027": 0, "00000000027": 0, "12345678901": 12345678901, "../clients": 0} {
		if id, known := idOf(ref); known != (want != 0) || known && id != want {
			t.Errorf("idOf(%q): %d, %v, want %d", ref, id, known, want)
		}
	}
}
