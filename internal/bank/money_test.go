package bank

import (
	"math"
	"regexp"
	"strings"
	"testing"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]Cents{
		"0": 0, "0.0": 0, "0.01": 1, "1": 100, "1.5": 150, "1.50": 150, "25000.00": 25_000_00, "0000000007": 7_00,
		"9999999999.99": MaxAmount,
	} {
		if got, err := ParseAmount(text); got != want || err != nil {
			t.Errorf("ParseAmount(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "1.001", "10000000000", "-1", "+1", "1e3", "1,000", " 1", "1 ", "$1", "0x1", "١", "1.0.0", "1\x00"} {
		if got, err := ParseAmount(text); err != ErrAmount {
			t.Errorf("ParseAmount(%q) = %d, %v, want ErrAmount", text, got, err)
		}
	}
}

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]Cents{
		"$25,000.00": 25_000_00, "25,000": 25_000_00, "25000.5": 25_000_50, " $ 1 ": 1_00, "1,234,567.89": 1_234_567_89, "0": 0,
		"$9,999,999,999.99": MaxAmount,
	} {
		if got, err := ParseMoney(text); got != want || err != nil {
			t.Errorf("ParseMoney(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "$", "1,00", "1,0000", ",100", "1,,000", "2,5000", "1234,567", "1.000,00", "$$1", "-$1", "$-1", "1,000.", "10,000,000,000"} {
		if got, err := ParseMoney(text); err != ErrAmount {
			t.Errorf("ParseMoney(%q) = %d, %v, want ErrAmount", text, got, err)
		}
	}
}

func TestCentsAreWrittenForPeopleAndPrograms(t *testing.T) {
	for _, c := range []struct {
		cents         Cents
		text, dollars string
	}{
		{0, "0.00", "$0.00"}, {1, "0.01", "$0.01"}, {100, "1.00", "$1.00"}, {999_99, "999.99", "$999.99"}, {1_000_00, "1000.00", "$1,000.00"},
		{MaxAmount, "9999999999.99", "$9,999,999,999.99"}, {-1_234_567_89, "-1234567.89", "-$1,234,567.89"},
		{math.MinInt64, "-92233720368547758.08", "-$92,233,720,368,547,758.08"},
	} {
		if text, dollars := c.cents.String(), c.cents.Dollars(); text != c.text || dollars != c.dollars {
			t.Errorf("%d is written %s and %s, want %s and %s", int64(c.cents), text, dollars, c.text, c.dollars)
		}
	}
}

func TestAddRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		a, b, sum Cents
		fits      bool
	}{
		{1, 2, 3, true}, {math.MaxInt64, 0, math.MaxInt64, true}, {math.MaxInt64, 1, 0, false}, {math.MinInt64, -1, 0, false},
		{math.MinInt64, math.MaxInt64, -1, true}, {MaxAmount, MaxAmount, 2 * MaxAmount, true},
	} {
		if sum, fits := c.a.Add(c.b); sum != c.sum || fits != c.fits {
			t.Errorf("%d.Add(%d) = %d, %t", c.a, c.b, sum, fits)
		}
	}
}

var amountSyntax = regexp.MustCompile(`^[0-9]{1,10}(\.[0-9]{1,2})?$`)

// FuzzParseAmount: what is read is exactly what the specification calls an
// amount, and writing it and reading it again changes nothing.
func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{"25000.00", "1", "0.1", "-1", "1e3", "9999999999.99", "1.", "١"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cents, err := ParseAmount(text)
		if (err == nil) != amountSyntax.MatchString(text) {
			t.Fatalf("ParseAmount(%q) = %d, %v", text, cents, err)
		}
		if err != nil {
			return
		}
		if cents < 0 || cents > MaxAmount {
			t.Fatalf("ParseAmount(%q) = %d is out of bounds", text, cents)
		}
		if again, err := ParseAmount(cents.String()); again != cents || err != nil {
			t.Fatalf("%q was read as %d, written %s and read again as %d, %v", text, cents, cents, again, err)
		}
		if again, err := ParseMoney(cents.Dollars()); again != cents || err != nil {
			t.Fatalf("%q was read as %d, shown as %s and read again as %d, %v", text, cents, cents.Dollars(), again, err)
		}
	})
}

// FuzzParseMoney: what people type means what it means without its ornaments,
// or nothing.
func FuzzParseMoney(f *testing.F) {
	for _, text := range []string{"$25,000.00", "25,000", "1,00", " $ 1.5 ", "1,234,567.89", ",1", "$$1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cents, err := ParseMoney(text)
		if err != nil {
			if cents != 0 {
				t.Fatalf("ParseMoney(%q) refused and gave %d", text, cents)
			}
			return
		}
		plain := strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "$")), ",", "")
		if want, err := ParseAmount(plain); want != cents || err != nil {
			t.Fatalf("ParseMoney(%q) = %d, but %q is %d, %v", text, cents, plain, want, err)
		}
	})
}
