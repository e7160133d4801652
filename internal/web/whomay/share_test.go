package whomay

import (
	"math"
	"testing"

	"mandate/internal/bank"
)

// Among thousands of people everybody has little, and not all have as little.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		part, whole bank.Cents
		want        string
	}{
		{100_00, 100_00, "100%"},
		{33_33, 100_00, "33%"},
		{10_00, 100_00, "10%"},
		{9_99, 100_00, "9.9%"},
		{200_000_00, 186_900_000_00, "0.1%"},
		{10_000_00, 186_900_000_00, "Less than 0.1%"},
		{1, 3, "33%"},
		{math.MaxInt64, math.MaxInt64, "100%"},
		{math.MaxInt64, 1, "100%"},
		{0, 0, "–"},
	} {
		if got := share(c.part, c.whole); got != c.want {
			t.Errorf("share(%s, %s) = %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}
