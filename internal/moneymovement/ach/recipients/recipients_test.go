package recipients

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/layout"
)

func columns() Layout {
	l := Layout{Format: CSV, Places: map[Field]Place{}}
	for i, f := range Fields() {
		l.Places[f] = Place{Column: i + 1}
	}
	return l
}

func tabs() Layout {
	l := columns()
	l.Format = Tab
	return l
}

func positions() Layout {
	return Layout{Format: Fixed, Cents: true, Places: map[Field]Place{
		Name: {From: 1, To: 22}, Amount: {From: 23, To: 32}, Direction: {From: 33, To: 33}, Account: {From: 34, To: 50}, Routing: {From: 51, To: 59},
		Kind: {From: 60, To: 60}, Hold: {From: 61, To: 61},
	}}
}

func TestTheSameListInThreeFormats(t *testing.T) {
	want := []Recipient{
		{Name: "Ana Ruiz", Amount: 1_250_00, Account: "445566", Routing: "231380104", Kind: nacha.Checking},
		{Name: "Bo Chen", Amount: 75, Debit: true, Account: "0099", Routing: "121042882", Kind: nacha.Savings, Held: true},
	}
	for name, c := range map[string]struct {
		layout Layout
		text   string
		lines  [2]int
	}{
		"CSV":   {columns(), "\xef\xbb\xbf\"Ana Ruiz\",\"$1,250.00\",credit,445566,231380104,checking,,,,\r\nBo Chen,0.75,D,0099,121042882,S,,,no,yes\r\n", [2]int{1, 2}},
		"tab":   {tabs(), "Ana Ruiz\t1250\tCR\t445566\t231380104\tchk\n\nBo Chen\t0.75\tDR\t0099\t121042882\tsavings\t\t\t0\tH", [2]int{1, 3}},
		"fixed": {positions(), "Ana Ruiz              0000125000C445566           231380104C\nBo Chen               0000000075D0099             121042882SY\n", [2]int{1, 2}},
	} {
		p, err := Read(strings.NewReader(c.text), c.layout)
		if err != nil || len(p.Problems) > 0 {
			t.Errorf("%s: %v %+v", name, err, p)
			continue
		}
		expected := append([]Recipient{}, want...)
		expected[0].Line, expected[1].Line = c.lines[0], c.lines[1]
		if !reflect.DeepEqual(p.Recipients, expected) || p.Credits != 1_250_00 || p.Debits != 0 {
			t.Errorf("%s gives %+v, credits %d, debits %d", name, p.Recipients, p.Credits, p.Debits)
		}
	}
}

func TestEveryProblemIsSaidByLine(t *testing.T) {
	good := "Ana,10.00,credit,445566,231380104,checking,,,,"
	for _, c := range []struct {
		line  string
		field Field
	}{
		{",10.00,credit,445566,231380104,checking", Name},
		{"A name of more than twenty-two,10.00,credit,445566,231380104,checking", Name},
		{"José,10.00,credit,445566,231380104,checking", Name},
		{"Ana,ten,credit,445566,231380104,checking", Amount},
		{"Ana,0.00,credit,445566,231380104,checking", Amount},
		{"Ana,-5.00,credit,445566,231380104,checking", Amount},
		{"Ana,100000000.00,credit,445566,231380104,checking", Amount},
		{"Ana,10.00,sideways,445566,231380104,checking", Direction},
		{"Ana,10.00,debit,445566,231380104,loan", Direction},
		{"Ana,10.00,credit,,231380104,checking", Account},
		{"Ana,10.00,credit,123456789012345678,231380104,checking", Account},
		{"Ana,10.00,credit,445566,231380105,checking", Routing},
		{"Ana,10.00,credit,445566,23138010,checking", Routing},
		{"Ana,10.00,credit,445566,231380104,shoebox", Kind},
		{"Ana,10.00,credit,445566,231380104,checking,1234567890123456", ID},
		{"Ana,10.00,credit,445566,231380104,checking,," + strings.Repeat("x", 81), Addenda},
		{"Ana,10.00,credit,445566,231380104,checking,,,maybe", Prenote},
		{"Ana,10.00,credit,445566,231380104,checking,,,,perhaps", Hold},
		{`"Ana,10.00`, ""},
	} {
		p, err := Read(strings.NewReader(good+"\n"+c.line+"\n"), columns())
		if err != nil || len(p.Problems) != 1 || p.Problems[0].Line != 2 || p.Problems[0].Field != c.field {
			t.Errorf("%s: %v %+v, want one problem of line 2, %s", c.line, err, p, c.field)
		}
	}
	p, err := Read(strings.NewReader("Ana,0.00,credit,445566,231380105,checking\n"+good+"\nBo,x,y,,z,w\n"), columns())
	if err != nil || len(p.Problems) != 7 || len(p.Recipients) != 1 {
		t.Errorf("%v %+v, want all seven problems and one recipient", err, p)
	}
}

func TestHeaderAndControlLinesAreRefusedByLine(t *testing.T) {
	for _, c := range []struct {
		layout Layout
		line   string
		what   string
	}{
		{columns(), "Name,Amount,Debit or credit,Account number,Routing number,Account type", "header"},
		{columns(), "Recipient,Amount,Type,Account,ABA", "header"},
		{columns(), "Total,10.00,,,,", "control"},
		{tabs(), "Trailer\t10.00\t2", "control"},
		{columns(), "101 231380104 1210428822603020930A094101Federal Reserve Bank   First Bank", "header"},
		{columns(), "5220Acme Tools                          1234567890PPDPAYROLL         260303   1121042880000001", "header"},
		{columns(), "822000000200352423670000001000000000000100001234567890                         121042880000001", "control"},
		{columns(), "9000001000001000000020035242367000000100000000000010000                                       ", "control"},
		{columns(), strings.Repeat("9", 94), "control"},
		{positions(), "HEADER                20260302", "header"},
		{positions(), "Total                 0000000100", "control"},
	} {
		p, err := Read(strings.NewReader(c.line+"\n"), c.layout)
		if err != nil || len(p.Problems) != 1 || p.Problems[0].Line != 1 || !strings.Contains(p.Problems[0].Sentence, "a "+c.what+" line") {
			t.Errorf("%s: %v %+v, want a %s line", c.line, err, p, c.what)
		}
	}
	p, err := Read(strings.NewReader("Total Fitness,10.00,credit,445566,231380104,checking\n"), columns())
	if err != nil || len(p.Problems) > 0 {
		t.Errorf("a recipient whose name begins like a total: %v %+v", err, p)
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	many := strings.Repeat("Ana,10.00,credit,445566,231380104,checking\n", MaxRows+1)
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"binary": {"PK\x03\x04\x00\x00", ErrBinary}, "empty": {"\n\n", ErrEmpty}, "nothing": {"", ErrEmpty}, "rows": {many, ErrTooLarge},
		"size": {"\"" + strings.Repeat("x", MaxBytes), ErrTooLarge},
	} {
		if _, err := Read(strings.NewReader(c.text), columns()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := Read(strings.NewReader(strings.Repeat("x", 1<<20)), tabs()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an endless line: %v", err)
	}
	p, err := Read(strings.NewReader(strings.Repeat("nonsense\n", 10_000)), columns())
	if err != nil || len(p.Problems) != MaxProblems || !p.More {
		t.Errorf("problems without end: %v, %d", err, len(p.Problems))
	}
}

func TestLayoutsAreChecked(t *testing.T) {
	for _, l := range []Layout{columns(), tabs(), positions()} {
		if err := l.Check(); err != nil {
			t.Errorf("%s: %v", l.Format, err)
		}
	}
	for name, change := range map[string]func(*Layout){
		"format":       func(l *Layout) { l.Format = "xls" },
		"kind":         func(l *Layout) { l.Kind = "shoebox" },
		"routing":      func(l *Layout) { delete(l.Places, Routing) },
		"amount":       func(l *Layout) { l.Places[Amount] = Place{Column: 1} },
		"account":      func(l *Layout) { l.Places[Account] = Place{Column: 0} },
		"hold":         func(l *Layout) { l.Places[Hold] = Place{From: 1, To: 2} },
		"shoe":         func(l *Layout) { l.Places["shoe"] = Place{Column: 20} },
		"id":           func(l *Layout) { l.Places[ID] = Place{Column: layout.MaxColumn + 1} },
		"account_type": func(l *Layout) { l.Places[Kind] = Place{Column: -1} },
	} {
		l := columns()
		change(&l)
		problems := fault.ProblemsOf(l.Check())
		found := false
		for _, p := range problems {
			found = found || p.Field == name
		}
		if !found {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

// FuzzRead: whatever is read, every recipient that the preview shows can be
// written into a file, and the sums are theirs.
func FuzzRead(f *testing.F) {
	for i, text := range []string{"Ana,10.00,credit,445566,231380104,checking,,,,\n", "\"Ana\n", "Ana\t1\tD\t1\t231380104", "Total,1", "Name,Amount,Account", "9"} {
		f.Add(text, uint8(i))
	}
	f.Add("Bo Chen               0000000075D0099             121042882SY", uint8(2))
	layouts := []Layout{columns(), tabs(), positions()}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		p, err := Read(strings.NewReader(text), layouts[int(which)%len(layouts)])
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		var credits, debits bank.Cents
		for _, r := range p.Recipients {
			code, ok := nacha.CodeOf(r.Kind, r.Debit, r.Prenote)
			e := nacha.NewEntry("PPD", code, r.Routing, r.Account, r.Amount, r.ID, r.Name, "", r.Addenda)
			if !ok || len(e.Record) != 94 || e.Amount != r.Amount || e.Account != r.Account || strings.TrimSpace(r.Name) != e.Name {
				t.Fatalf("%+v becomes %+v", r, e)
			}
			if !r.Prenote && !r.Held {
				if r.Debit {
					debits += r.Amount
				} else {
					credits += r.Amount
				}
			}
		}
		if credits != p.Credits || debits != p.Debits {
			t.Fatal(fmt.Sprint("sums ", p.Credits, p.Debits, " want ", credits, debits))
		}
	})
}
