package positivepay_test

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/moneymovement/positivepay"
)

// hostForgets takes an account out of Positive Pay at the host alone.
func (w *world) hostForgets(account bank.AccountID) {
	w.t.Helper()
	o := host.Order{Institution: cedar, Organization: northwind, Room: "test", Ref: "forget", Enrol: &host.Enrolment{Account: account}}
	if r, err := w.books.Carry(w.t.Context(), o); err != nil || !r.Done() {
		w.t.Fatalf("%+v, %v", r, err)
	}
}

func TestWhatMatchesIsPaidAndTheRestWaits(t *testing.T) {
	each(t, func(w *world) {
		file := w.issue(march)
		if id := w.comes(check(1001, 100_00)); id != "" {
			t.Errorf("a check that matches is an exception: %s", id)
		}
		w.has(9_900_00)
		wrong := w.comes(check(1002, 2_600_00))
		void := w.comes(check(1003, 75_50))
		gym := w.comes(debit(49_00))
		w.run() // again, and nothing comes twice
		if n := len(w.exceptions()); n != 3 {
			t.Fatalf("%d exceptions, want 3", n)
		}
		d := w.wants(wrong, positivepay.Open)
		if d.Mismatch != host.WrongAmount || d.Issued == nil || d.Issued.Cents != 2_500_00 || d.Next != void || d.Default != positivepay.Return {
			t.Errorf("it is %+v, issued %+v", d.Item, d.Issued)
		}
		if left := positivepay.TimeLeft(d.Window, d.Now); left != "2 h 59 min" {
			t.Errorf("left are %q, want a little less than three hours until 1 PM", left)
		}
		for id, v := range map[positivepay.ItemID]positivepay.Verdict{wrong: positivepay.Pay, void: positivepay.Return, gym: positivepay.Pay} {
			if err := w.decide("dana", id, v); err != nil {
				t.Fatal(err)
			}
		}
		w.wants(wrong, positivepay.Paid)
		if d := w.wants(void, positivepay.Returned); d.Reason != positivepay.ReasonOther || d.By.Name != "Dana" || d.Reference == "" || len(d.Events) != 3 {
			t.Errorf("it is %+v after %d events", d.Item, len(d.Events))
		}
		w.has(10_000_00 - 100_00 - 2_600_00 - 49_00)
		states := map[int64]positivepay.IssueState{}
		for _, i := range w.wantsFile(file, positivepay.Successful).Issues {
			if !i.Void {
				states[i.Number] = i.State
			}
		}
		if fmt.Sprint(states) != "map[1001:paid 1002:paid 1003:voided]" {
			t.Errorf("the checks are %v", states)
		}
		w.refuses("decide again", w.decide("lee", wrong, positivepay.Return), "CHANGED")
		page, err := w.room.Items(t.Context(), caller("dana"), positivepay.ItemQuery{When: positivepay.WhenSettled, Search: "gym"})
		if err != nil || page.Matching != 1 || page.Cents != 49_00 || page.Total != 3 || len(page.Waiting) != 0 {
			t.Errorf("the list is %+v, %v", page, err)
		}
		if fmt.Sprint(w.told.mails) != "[3 Exceptions to decide 2 Exceptions to decide]" {
			t.Errorf("told is %v, want one mail for checks and one for ACH, to those who may decide", w.told.mails)
		}
	})
}

func TestTheWindow(t *testing.T) {
	each(t, func(w *world) {
		id := w.comes(check(7, 10_00))
		w.at("2026-03-02 06:59")
		w.refuses("before it opens", w.decide("dana", id, positivepay.Pay), "WINDOW_NOT_OPEN")
		if err := w.room.SetSettings(t.Context(), operator, positivepay.Settings{Check: positivepay.Pay, ACH: positivepay.Return, Early: true}); err != nil {
			t.Fatal(err)
		}
		w.at("2026-03-01 12:00") // it came on Monday at ten
		w.refuses("before it came", w.decide("dana", id, positivepay.Pay), "WINDOW_NOT_OPEN")
		weekend := w.comes(host.Presented{Kind: host.CheckItem, Number: 8, Cents: 5_00, Day: "2026-03-07"}) // a Saturday
		if d := w.wants(weekend, positivepay.Open); d.Window.Day != "2026-03-09" {
			t.Errorf("what is due on a Saturday is due on %s", d.Window.Day)
		}
		if err := w.decide("dana", weekend, positivepay.Return); err != nil {
			t.Errorf("early: %v", err)
		}
		w.at("2026-03-02 12:59")
		w.run()
		w.wants(id, positivepay.Open)
		w.at("2026-03-02 13:00")
		w.refuses("at the cut-off", w.decide("dana", id, positivepay.Pay), "WINDOW_CLOSED")
		gym := w.comes(debit(20_00))
		w.run()
		if d := w.wants(id, positivepay.Paid); d.By.Kind != bank.ActorSystem {
			t.Errorf("by default it was decided by %+v", d.By)
		}
		if d := w.wants(gym, positivepay.Returned); d.Reason != positivepay.ReasonNobody {
			t.Errorf("returned for %q", d.Reason)
		}
		w.has(9_990_00)
	})
}

// What the host cannot pay waits again, and goes back at the cut-off.
func TestWhatTheHostCannotPay(t *testing.T) {
	each(t, func(w *world) {
		poor, rich := w.comes(check(7, 10_000_01)), w.comes(check(8, 10_000_00))
		if err := w.decide("dana", poor, positivepay.Pay); err != nil {
			t.Fatal(err)
		}
		if d := w.wants(poor, positivepay.Refused); d.Code != "NOT_COVERED" || d.Problem == "" {
			t.Errorf("it is %+v", d.Item)
		}
		if err := w.decide("dana", rich, positivepay.Pay); err != nil {
			t.Fatal(err)
		}
		elsewhere := w.comes(debit(1_00))
		w.rules(elsewhere)
		if err := w.decide("dana", elsewhere, positivepay.Return); err != nil {
			t.Fatal(err)
		}
		w.wants(elsewhere, positivepay.Elsewhere)
		w.has(0)
		w.at("2026-03-02 13:00")
		w.run()
		w.wants(poor, positivepay.Returned)
	})
}

// rules settles an item at the host, past the room.
func (w *world) rules(positivepay.ItemID) {
	w.t.Helper()
	all, err := w.books.Presented(w.t.Context(), cedar, "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	o := host.Order{Institution: cedar, Organization: northwind, Room: "test", Ref: "rule", Ruling: &host.Ruling{Item: all[len(all)-1].Item}}
	if r, err := w.books.Carry(w.t.Context(), o); err != nil || !r.Done() {
		w.t.Fatalf("%+v, %v", r, err)
	}
}

func TestManyDecisionsEachByItself(t *testing.T) {
	each(t, func(w *world) {
		var all []positivepay.Decision
		for n := range 4 {
			all = append(all, positivepay.Decision{Item: w.comes(check(int64(7+n), 10_00)), Verdict: positivepay.Pay})
		}
		if err := w.decide("lee", all[0].Item, positivepay.Return); err != nil {
			t.Fatal(err)
		}
		gym := w.comes(debit(5_00))
		all = append(all, positivepay.Decision{Item: all[1].Item, Verdict: positivepay.Pay}, positivepay.Decision{Item: gym, Verdict: positivepay.Return, Reason: positivepay.ReasonUnauthorized},
			positivepay.Decision{Item: "itm_none", Verdict: positivepay.Pay})
		all[3].Verdict = positivepay.Return // without a reason
		results, err := w.room.Decide(t.Context(), caller("wes"), all)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			code := "ok"
			if f, ok := r.Err.(*fault.Error); ok {
				code = fmt.Sprint(f.Kind, f.Code)
			}
			got = append(got, code)
		}
		want := fmt.Sprint([]string{fmt.Sprint(fault.Conflict, "CHANGED"), "ok", "ok", fmt.Sprint(fault.Invalid, ""), fmt.Sprint(fault.NotFound, ""), fmt.Sprint(fault.Forbidden, "USER_OFF"), fmt.Sprint(fault.NotFound, "")})
		if fmt.Sprint(got) != want {
			t.Errorf("results %v, want %v", got, want)
		}
		w.has(9_980_00)
		w.proofs.wanting = true
		if err := w.decide("dana", all[3].Item, positivepay.Return); err != nil {
			t.Errorf("to return asks for no proof: %v", err)
		}
		if _, err := w.room.Decide(t.Context(), caller("dana"), []positivepay.Decision{{Item: w.comes(check(20, 1)), Verdict: positivepay.Pay}}); fault.KindOf(err) != fault.StepUp {
			t.Errorf("to pay asks for a proof: %v", err)
		}
	})
}

// Whoever may not decide about a kind of exception does not see it.
func TestWhoSeesWhat(t *testing.T) {
	each(t, func(w *world) {
		one, gym := w.comes(check(7, 10_00)), w.comes(debit(5_00))
		for name, want := range map[string]int{"dana": 2, "wes": 1, "uma": 0} {
			if page, err := w.room.Items(t.Context(), caller(name), positivepay.ItemQuery{}); err != nil || page.Total != want || page.Matching != want {
				t.Errorf("%s sees %d of %d, %v, want %d", name, page.Matching, page.Total, err, want)
			}
		}
		_, err := w.room.GetItem(t.Context(), caller("wes"), gym)
		w.refuses("Wes looks at the ACH item", err, "USER_OFF")
		_, err = w.room.Image(t.Context(), caller("uma"), one, host.Front)
		w.refuses("Uma looks at the picture", err, "USER_OFF")
		if _, err := w.room.GetItem(t.Context(), caller("dana"), "itm_none"); err != positivepay.ErrNoItem {
			t.Errorf("an exception that is not there: %v", err)
		}
		w.refuses("Uma decides", w.decide("uma", one, positivepay.Pay), "USER_OFF")
		foreign := caller("dana")
		foreign.Organization = "org_else"
		if _, err := w.room.Items(t.Context(), foreign, positivepay.ItemQuery{}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another organization: %v", err)
		}
		choice, err := w.room.Choices(t.Context(), caller("wes"))
		if err != nil || len(choice.On(catalog.ARPCheckExceptionDecide, true)) != 1 || len(choice.On(catalog.ARPFileUpload, false)) != 0 || choice.May[catalog.ARPFileUpload].Allowed {
			t.Errorf("Wes chooses from %+v, %v", choice.Accounts, err)
		}
	})
}

func TestPicturesAreDrawnAnew(t *testing.T) {
	each(t, func(w *world) {
		id := w.comes(check(7, 10_00))
		out, err := w.room.Image(t.Context(), caller("dana"), id, host.Front)
		if err != nil || !bytes.HasPrefix(out, []byte("\x89PNG")) {
			t.Fatalf("the picture is %q, %v", out, err)
		}
		if _, err := w.room.Image(t.Context(), caller("dana"), id, host.Back); fault.KindOf(err) != fault.NotFound {
			t.Errorf("there is no back: %v", err)
		}
		bad := append(picture(), []byte("<script>alert(1)</script>")...)
		for n, raw := range [][]byte{bad, []byte("<svg/>"), huge()} {
			if _, err := w.books.Present(t.Context(), cedar, host.Presented{Account: operating, Kind: host.CheckItem, Number: int64(30 + n), Cents: 1, Day: "2026-03-02"}, raw, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.run()
		for _, i := range w.exceptions() {
			out, err := w.room.Image(t.Context(), caller("dana"), i.ID, host.Front)
			switch {
			case i.Number == 30 && (err != nil || bytes.Contains(out, []byte("script"))):
				t.Errorf("what stands behind the picture: %v", err)
			case i.Number > 30 && fault.KindOf(err) != fault.NotFound:
				t.Errorf("picture %d: %v", i.Number, err)
			}
		}
	})
}

// huge says of itself that it has more points than anybody takes apart.
func huge() []byte {
	p := picture()
	copy(p[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0})
	return p
}

func FuzzPicture(f *testing.F) {
	f.Add(picture())
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := positivepay.Redraw(raw)
		if err != nil {
			return
		}
		if _, format, err := image.DecodeConfig(bytes.NewReader(out)); err != nil || format != "png" {
			t.Fatalf("%x became %s, %v", raw, format, err)
		}
	})
}

func TestTheOutputFile(t *testing.T) {
	each(t, func(w *world) {
		w.issue(march + "1004,1.00,2026-03-02,Zoë\n")
		w.comes(check(1001, 100_00))
		paid, back := w.comes(check(1002, 2_600_00)), w.comes(debit(49_00))
		w.comes(check(7, 5_00))
		for id, v := range map[positivepay.ItemID]positivepay.Verdict{paid: positivepay.Pay, back: positivepay.Return} {
			if err := w.decide("dana", id, v); err != nil {
				t.Fatal(err)
			}
		}
		for _, one := range []struct {
			q    positivepay.OutputQuery
			want string
		}{
			{positivepay.OutputQuery{}, "{[{acc_operating 2026-03-02 2 2700.00 1 1}] 1 2700.00 1 1}"}, {positivepay.OutputQuery{Account: payroll}, "{[] 0 0.00 1 1}"},
			{positivepay.OutputQuery{From: "2026-03-03"}, "{[] 0 0.00 1 1}"}, {positivepay.OutputQuery{Account: operating, Until: "2026-03-02", Page: 7, Size: 1}, "{[{acc_operating 2026-03-02 2 2700.00 1 1}] 1 2700.00 1 1}"},
		} {
			if page, err := w.room.Outputs(t.Context(), caller("dana"), one.q); err != nil || fmt.Sprint(page) != one.want {
				t.Errorf("%+v: the output files are %v, %v, want %s", one.q, page, err, one.want)
			}
		}
		d, err := w.room.Download(t.Context(), caller("dana"), operating, "2026-03-02")
		if err != nil || d.Name != "ARP_operating_20260302.txt" {
			t.Fatalf("%q, %v", d.Name, err)
		}
		want := []string{
			"H2026030220260302100000000110000137                            operating",
			"DE00000000070000000000500                CNOT_ISSUED    Harbor Supplies",
			"DP00000010010000000010000        20260302C              Harbor Supplies",
			"DP00000010020000000260000        20260302CWRONG_AMOUNT  Harbor Supplies",
			"DR00000000000000000004900        20260302ANOT_AUTHORIZEDTidewater Gym",
			"DV000000100300000000075502026022020260302C",
			"DO0000001004000000000010020260302        C              Zo?",
			"T000000006000000000270000000000000004900000000000000100",
		}
		got := strings.Split(strings.TrimSuffix(string(d.Body), "\r\n"), "\r\n")
		if len(got) != len(want) {
			t.Fatalf("the file is\n%s", d.Body)
		}
		for n := range want {
			if strings.TrimRight(got[n], " ") != want[n] || len(got[n]) != 100 {
				t.Errorf("line %d is %q (%d), want %q", n+1, got[n], len(got[n]), want[n])
			}
		}
		w.nameless.Store(true)
		if _, err := w.room.Download(t.Context(), caller("dana"), operating, "2026-03-02"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("of an account without a number: %v", err)
		}
		w.external = "CIF-4471"
		d, err = w.room.Download(t.Context(), caller("dana"), operating, "2026-03-02")
		if err != nil || !strings.HasPrefix(string(d.Body[23:]), "CIF-4471  ") {
			t.Errorf("of an account that has the institution's id alone: %.80s, %v", d.Body, err)
		}
		w.down.Store(true)
		if _, err := w.room.Download(t.Context(), caller("dana"), operating, "2026-03-02"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("while the host is silent: %v", err)
		}
		w.down.Store(false)
		for name, code := range map[string]string{"wes": "USER_OFF", "dana": ""} {
			account := operating
			if name == "dana" {
				account = payroll // on which nothing came in
			}
			_, err := w.room.Download(t.Context(), caller(name), account, "2026-03-02")
			w.refuses(name, err, code)
		}
		if n := w.events(positivepay.EventDownloaded); n != 3 {
			t.Errorf("%d downloads are in the history, want Dana's two and the refusal of Wes", n)
		}
	})
}

func (w *world) events(name string) (n int) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Value[int], `select count(*) from history_event where name = $1`, name)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
