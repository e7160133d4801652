package positivepay_test

import (
	"fmt"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
)

const march = "1001,100.00,2026-03-02,Harbor Supplies,\n1002,\"2,500.00\",2026-02-27,Pine & Co,issue\n1003,75.50,2026-02-20,,\n1003,,,,void\n"

func TestAListFromUploadToTheHost(t *testing.T) {
	each(t, func(w *world) {
		id, p, err := w.upload(march)
		if err != nil || len(p.Problems) > 0 || p.Issued != 3 || p.Voids != 1 || p.Cents != 2_675_50 {
			t.Fatalf("the preview is %+v, %v", p, err)
		}
		d, err := w.room.GetFile(t.Context(), caller("lee"), id)
		if err != nil || d.State != positivepay.Unapproved || len(d.Issues) != 4 || d.By.Name != "Dana" || !d.Enrolled || d.Issues[0].State != positivepay.Waits {
			t.Fatalf("the list is %+v, %v", d, err)
		}
		w.proofs.wanting = true
		if err := w.room.Approve(t.Context(), caller("lee"), id); fault.KindOf(err) != fault.StepUp {
			t.Errorf("approve without a proof: %v", err)
		}
		w.proofs.wanting = false
		w.down.Store(true)
		if err := w.room.Approve(t.Context(), caller("lee"), id); err != nil {
			t.Fatal(err)
		}
		w.wantsFile(id, positivepay.Pending)
		w.refuses("delete what is at the host", w.room.Delete(t.Context(), caller("dana"), id), "STATE")
		w.refuses("approve it twice", w.room.Approve(t.Context(), caller("dana"), id), "STATE")
		w.down.Store(false)
		w.clock.Advance(3600e9)
		w.issueElse() // anything that goes to the host takes the rest along
		d = w.wantsFile(id, positivepay.Successful)
		states := map[int64]positivepay.IssueState{}
		for _, i := range d.Issues {
			if !i.Void {
				states[i.Number] = i.State
			}
		}
		if states[1001] != positivepay.Outstanding || states[1003] != positivepay.Voided || d.Approver.Name != "Lee" || d.Reference == "" || len(d.Events) < 3 {
			t.Errorf("the checks are %v, the list %+v", states, d)
		}
		page, err := w.room.Issues(t.Context(), caller("wes"), positivepay.IssueQuery{Search: "PINE"})
		if err != nil || page.Matching != 1 || page.Issues[0].Number != 1002 || page.Cents != 2_500_00 || page.Total != 5 {
			t.Errorf("a search finds %+v, %v", page, err)
		}
		files, err := w.room.Files(t.Context(), caller("dana"), positivepay.FileQuery{State: positivepay.Successful})
		if err != nil || files.Matching != 2 || files.Cents != 2_675_50+1_00 {
			t.Errorf("the lists are %+v, %v", files, err)
		}
		if files, err := w.room.Files(t.Context(), caller("wes"), positivepay.FileQuery{}); err != nil || len(files.Files) != 0 {
			t.Errorf("Wes may not upload and sees %+v, %v", files, err)
		}
	})
}

func (w *world) wantsFile(id positivepay.FileID, state positivepay.FileState) positivepay.FileDetail {
	w.t.Helper()
	d, err := w.room.GetFile(w.t.Context(), caller("dana"), id)
	if err != nil || d.State != state {
		w.t.Fatalf("%s is %s (%s), %v, want %s", id, d.State, d.Problem, err, state)
	}
	return d
}

// issueElse enters one more check by hand and approves it.
func (w *world) issueElse() {
	w.t.Helper()
	e := positivepay.Entry{ID: w.newFile(), Account: operating, Checks: []positivepay.Check{{Line: 1, Number: 9001, Cents: 1_00, Day: "2026-03-02"}}}
	if err := w.room.Enter(w.t.Context(), caller("dana"), e); err != nil {
		w.t.Fatal(err)
	}
	d := w.wantsFile(e.ID, positivepay.Unapproved)
	if d.Name != "ARPManualEntry_Dana_20260302.txt" || d.Source != positivepay.Manual {
		w.t.Errorf("it is called %q", d.Name)
	}
	if err := w.room.Approve(w.t.Context(), caller("dana"), e.ID); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheSameChecksInThreeFormats(t *testing.T) {
	places := func(all ...layout.Place) map[positivepay.Field]layout.Place {
		m := map[positivepay.Field]layout.Place{}
		for i, p := range all {
			m[positivepay.Fields()[i]] = p
		}
		return m
	}
	want := "[{1001 10000 2026-03-02 Harbor Supplies false} {77 250050 2026-02-27  false} {1003 0  Pine & Co true}]"
	for name, c := range map[string]struct {
		layout positivepay.Layout
		text   string
	}{
		"CSV with titles": {positivepay.Layout{Format: layout.CSV, Dates: positivepay.DateSlashes, Titles: true, Places: places(layout.Place{Column: 2}, layout.Place{Column: 3}, layout.Place{Column: 1}, layout.Place{Column: 5}, layout.Place{Column: 4})},
			"Date,Check,Amount,Type,Payee\r\n03/02/2026,1001,$100.00,I,Harbor   Supplies\r\n2/27/2026,0077,\"2,500.50\"\r\n,1003,,VOID,Pine & Co\r\n"},
		"tab": {positivepay.Layout{Format: layout.Tab, Dates: positivepay.DatePlain, Places: places(layout.Place{Column: 1}, layout.Place{Column: 2}, layout.Place{Column: 3}, layout.Place{Column: 4}, layout.Place{Column: 5})},
			"1001\t100\t20260302\tHarbor Supplies\n\n77\t2500.5\t20260227\n1003\t\t00000000\tPine & Co\tv"},
		"fixed": {positivepay.Layout{Format: layout.Fixed, Dates: positivepay.DateShort, Cents: true, Places: places(layout.Place{From: 1, To: 10}, layout.Place{From: 11, To: 22}, layout.Place{From: 23, To: 28}, layout.Place{From: 30, To: 60}, layout.Place{From: 29, To: 29})},
			"0000001001000000010000030226OHarbor Supplies\n0000000077000000250050022726 \n0000001003000000000000000000VPine & Co\n"},
	} {
		p, err := positivepay.Read(strings.NewReader(c.text), c.layout, "2026-03-02")
		if err != nil || len(p.Problems) > 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		var got []string
		for _, k := range p.Checks {
			got = append(got, fmt.Sprintf("{%d %d %s %s %t}", k.Number, k.Cents, k.Day, k.Payee, k.Void))
		}
		if fmt.Sprint(got) != want || p.Issued != 2 || p.Voids != 1 || p.Cents != 2_600_50 {
			t.Errorf("%s gives %v, want %s", name, got, want)
		}
	}
}

func TestEveryProblemIsSaidByLineAndField(t *testing.T) {
	good := "1001,100.00,2026-03-02,Harbor Supplies,issue"
	for line, field := range map[string]positivepay.Field{
		",1.00,2026-03-02":                             positivepay.Number,
		"abc,1.00,2026-03-02":                          positivepay.Number,
		"0,1.00,2026-03-02":                            positivepay.Number,
		"-5,1.00,2026-03-02":                           positivepay.Number,
		"12345678901,1.00,2026-03-02":                  positivepay.Number,
		"1001,1.00,2026-03-02":                         positivepay.Number, // again
		"5,,2026-03-02":                                positivepay.Amount,
		"5,0.00,2026-03-02":                            positivepay.Amount,
		"5,-1.00,2026-03-02":                           positivepay.Amount,
		"5,1.001,2026-03-02":                           positivepay.Amount,
		"5,99999999999,2026-03-02":                     positivepay.Amount,
		"5,1.00,":                                      positivepay.Date,
		"5,1.00,03/02/2026":                            positivepay.Date,
		"5,1.00,2026-02-30":                            positivepay.Date,
		"5,1.00,2024-03-01":                            positivepay.Date,
		"5,1.00,2027-03-03":                            positivepay.Date,
		"5,1.00,2026-03-02,\u202eevil":                 positivepay.Payee,
		"5,1.00,2026-03-02,\xff":                       positivepay.Payee,
		"5,1.00,2026-03-02,a,perhaps":                  positivepay.Type,
		`"5,1.00,2026-03-02`:                           "",
		"5,1.00,2026-03-02," + strings.Repeat("x", 61): positivepay.Payee,
	} {
		p, err := positivepay.Read(strings.NewReader(good+"\n"+line+"\n"), columns(), "2026-03-02")
		if err != nil || len(p.Problems) != 1 || p.Problems[0].Line != 2 || p.Problems[0].Field != field || p.Problems[0].Sentence == "" {
			t.Errorf("%q: %+v, %v, want one problem of line 2, %s", line, p, err, field)
		}
	}
	p, err := positivepay.Read(strings.NewReader("x,y,z,,w\n"+good+"\n\n0,0,0\n"), columns(), "2026-03-02")
	if err != nil || len(p.Problems) != 7 || len(p.Checks) != 1 {
		t.Errorf("%+v, %v, want all problems of lines 1 and 4, and one check", p, err)
	}
	// Within the bounds of a date, to the day.
	for _, line := range []string{"5,1.00,2024-03-02", "5,1.00,2027-03-02", "5,9999999999.99,2026-03-02", "9999999999,0.01,2026-03-02"} {
		if p, err := positivepay.Read(strings.NewReader(line), columns(), "2026-03-02"); err != nil || len(p.Problems) != 0 {
			t.Errorf("%q: %+v, %v", line, p, err)
		}
	}
}

func TestHostileFilesAreRefusedEarly(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"empty":      {"", "EMPTY_FILE"},
		"binary":     {"1,1.00\x00", "NOT_TEXT"},
		"too large":  {strings.Repeat("x", positivepay.MaxBytes+1), "FILE_TOO_LARGE"},
		"many lines": {lines(positivepay.MaxChecks + 1), "FILE_TOO_LARGE"},
	} {
		_, err := positivepay.Read(strings.NewReader(c.text), columns(), "2026-03-02")
		if f, ok := err.(*fault.Error); !ok || f.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if p, err := positivepay.Read(strings.NewReader(lines(positivepay.MaxChecks)), columns(), "2026-03-02"); err != nil || p.Issued != positivepay.MaxChecks {
		t.Errorf("as many as may be: %v", err)
	}
	if p, err := positivepay.Read(strings.NewReader(strings.Repeat("x\n", 5000)), columns(), "2026-03-02"); err != nil || !p.More || len(p.Problems) != positivepay.MaxProblems {
		t.Errorf("nothing but problems: %d, %v", len(p.Problems), err)
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,1.00,2026-03-02\n", i+1)
	}
	return b.String()
}

func TestListsThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		upload := func(name string, account bank.AccountID, format layout.Format, text string, again bool) error {
			p, err := w.room.Upload(t.Context(), caller(name), positivepay.Upload{ID: w.newFile(), Account: account, Name: "a.csv", Format: format, Again: again, File: strings.NewReader(text)})
			if err == nil {
				err = p.Err()
			}
			return err
		}
		w.refuses("without a layout", upload("dana", operating, layout.CSV, march, false), "NO_LAYOUT")
		w.refuses("a layout by somebody who may not", w.room.SetLayout(t.Context(), caller("wes"), columns()), "USER_OFF")
		w.issue(march)
		w.refuses("to an account that is not enrolled", upload("dana", payroll, layout.CSV, march, false), "NOT_ENROLLED")
		w.refuses("by somebody who may not", upload("wes", operating, layout.CSV, march, false), "USER_OFF")
		w.refuses("of somebody else's account", upload("dana", "acc_else", layout.CSV, march, false), "UNKNOWN_ACCOUNT")
		w.refuses("the same again", upload("dana", operating, layout.CSV, march, false), "DUPLICATE_FILE")
		err := upload("dana", operating, layout.CSV, march, true)
		if problems := fault.ProblemsOf(err); len(problems) != 3 || problems[0].Field != "line.1.number" || !strings.Contains(problems[0].Sentence, "issued before") {
			t.Errorf("what was issued before: %v", err)
		}
		// The same form twice keeps one list, and another one under its name none.
		u := positivepay.Upload{ID: w.newFile(), Account: operating, Name: "april.csv", Format: layout.CSV}
		for _, c := range []struct{ text, code string }{{"2001,5.00,2026-03-02", ""}, {"2001,5.00,2026-03-02", ""}, {"2001,6.00,2026-03-02", "ID_REUSED"}} {
			u.File, u.Again = strings.NewReader(c.text), true
			if _, err := w.room.Upload(t.Context(), caller("dana"), u); c.code != "" {
				w.refuses("another list under the same name", err, c.code)
			} else if err != nil {
				t.Error(err)
			}
		}
		// A rejected or deleted list issues nothing.
		if err := w.room.Delete(t.Context(), caller("lee"), u.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.room.GetFile(t.Context(), caller("dana"), u.ID); err != positivepay.ErrNoFile {
			t.Errorf("a deleted list is there: %v", err)
		}
		w.issue("2001,7.00,2026-03-02")
		if err := w.room.Enrol(t.Context(), operator, northwind, operating, false); err != nil {
			t.Fatal(err)
		}
		entry := positivepay.Entry{ID: w.newFile(), Account: operating, Checks: []positivepay.Check{{Line: 1, Number: 3001, Cents: 1, Day: "2026-03-02"}}}
		w.refuses("an account that is enrolled no more", w.room.Enter(t.Context(), caller("dana"), entry), "NOT_ENROLLED")
		entry.Checks = append(entry.Checks, positivepay.Check{Line: 2, Number: 3001, Cents: 0})
		if problems := fault.ProblemsOf(w.room.Enter(t.Context(), caller("dana"), entry)); len(problems) != 3 {
			t.Errorf("a check without amount and date, and twice: %+v", problems)
		}
	})
}

// A list that the host does not take can be approved again.
func TestARejectedList(t *testing.T) {
	each(t, func(w *world) {
		id, _, err := w.upload("1001,5.00,2026-03-02")
		if err != nil {
			t.Fatal(err)
		}
		w.hostForgets(operating)
		if err := w.room.Approve(t.Context(), caller("dana"), id); err != nil {
			t.Fatal(err)
		}
		d := w.wantsFile(id, positivepay.Rejected)
		if d.Code != "NOT_ENROLLED" || d.Issues[0].State != positivepay.NotTaken || len(w.told.mails) != 1 {
			t.Errorf("it is %+v, and told is %v", d.File, w.told.mails)
		}
		for _, on := range []bool{false, true} {
			if err := w.room.Enrol(t.Context(), operator, northwind, operating, on); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.room.Approve(t.Context(), caller("dana"), id); err != nil {
			t.Fatal(err)
		}
		w.wantsFile(id, positivepay.Successful)
	})
}

func FuzzRead(f *testing.F) {
	f.Add(march, true, false)
	f.Add("0000001001000000010000030226OHarbor Supplies\n", false, true)
	f.Fuzz(func(t *testing.T, text string, csv, cents bool) {
		l := columns()
		if l.Cents = cents; !csv {
			l.Format, l.Dates = layout.Fixed, positivepay.DateShort
			for i, f := range positivepay.Fields() {
				l.Places[f] = layout.Place{From: 1 + 10*i, To: 10 + 10*i}
			}
		}
		p, err := positivepay.Read(strings.NewReader(text), l, "2026-03-02")
		if err != nil {
			return
		}
		var sum bank.Cents
		for _, c := range p.Checks {
			if c.Number < 1 || c.Number > positivepay.MaxNumber || c.Cents < 0 || c.Cents > bank.MaxAmount || c.Line < 1 || !c.Void && (c.Cents == 0 || c.Day == "") {
				t.Fatalf("%q gives %+v", text, c)
			}
			if !c.Void {
				sum += c.Cents
			}
		}
		if sum != p.Cents || p.Issued+p.Voids != len(p.Checks) || len(p.Checks)+len(p.Problems) == 0 {
			t.Fatalf("%q adds up to %+v", text, p)
		}
	})
}
