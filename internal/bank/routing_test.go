package bank_test

import (
	"testing"

	"mandate/internal/bank"
)

func TestIsRouting(t *testing.T) {
	for s, want := range map[string]bool{
		"231380104": true, "121042882": true, "021000021": true, "231380105": false, "132380104": false, "000000000": false,
		"": false, "23138010": false, "2313801040": false, "23138010x": false, "２31380104": false,
	} {
		if got := bank.IsRouting(s); got != want {
			t.Errorf("IsRouting(%q) = %t, want %t", s, got, want)
		}
	}
}

// One digit that is mistyped is always found.
func TestIsRoutingFindsEveryWrongDigit(t *testing.T) {
	right := "231380104"
	for i := range right {
		for d := byte('0'); d <= '9'; d++ {
			wrong := right[:i] + string(d) + right[i+1:]
			if wrong != right && bank.IsRouting(wrong) {
				t.Errorf("%s passes", wrong)
			}
		}
	}
}
