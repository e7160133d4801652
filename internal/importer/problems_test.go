package importer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/importer"
)

// A problemLine is a problem as the JSON report tells it.
type problemLine struct {
	Type, File, Field, Wrong, Right string
	Line, More                      int
}

// problems are those of a JSON report, or its warnings.
func problems(t *testing.T, out, kind string) (lines []problemLine) {
	t.Helper()
	for line := range strings.Lines(out) {
		var p problemLine
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("the report has a line that is not JSON: %s", line)
		}
		if p.Type == kind {
			lines = append(lines, p)
		}
	}
	return lines
}

const membersHeader = "organization,member,first_name,last_name,email,username,role,status,held,user_management.enabled,ach.enabled,ach.view,ach.daily_limit,ach.edit_level,wires.enabled,wires.work,wires.per_wire_limit,wires.daily_limit,wires.transmit"

// Every rule, with what it says and where. A case changes the small bank, in
// which nothing is wrong, by replacing one text of one file.
func TestEveryProblemHasFileLineAndField(t *testing.T) {
	long := strings.Repeat("x", 101)
	for _, c := range []struct {
		file, old, now          string
		line                    int
		field, wrong, rightPart string
	}{
		// institution.json
		{"institution.json", `"import/1"`, `"import/9"`, 2, "format", `"import/9" is not a format`, "import/1"},
		{"institution.json", `"marlowick"`, `"Marlo wick"`, 3, "id", `cannot be part of an address`, "hyphens"},
		{"institution.json", `"Marlowick Bank & Trust"`, `" "`, 4, "name", "0 characters", "1 to 100"},
		{"institution.json", `"Marlowick Bank & Trust"`, `"Marlo\u0007wick"`, 4, "name", "control character", "printable"},
		{"institution.json", `"bank"`, `"shop"`, 5, "edition", `"shop" is no edition`, "bank or credit_union"},
		{"institution.json", `America/Chicago`, `Mars/Olympus`, 6, "time_zone", `"Mars/Olympus" is not a time zone`, "America/Chicago"},
		{"institution.json", `"stops"`, `"stop"`, 7, "offers", `"stop" is no entitlement`, "stops"},
		{"institution.json", `"offers"`, `"accent": "red", "offers"`, 7, "accent", `"red" is not a colour`, "#1d4ed8"},
		{"institution.json", `"offers"`, `"offer"`, 1, "", "unknown field", "one JSON object"},
		{"institution.json", `{`, `{,`, 1, "", "cannot be read", "one JSON object"},

		// headers
		{"members.csv", "last_name", "surname", 1, "surname", "no such column", "last_name"},
		{"members.csv", "first_name,", "First Name,", 1, "First Name", "no such column", "first_name"},
		{"members.csv", "first_name", "last_name", 1, "last_name", "there twice", "each column once"},
		{"members.csv", "wires.work", "account.access", 1, "account.access", "no such column", "member_accounts"},
		{"member_accounts.csv", "account.access", "ach.view", 1, "ach.view", "no such column", "column of members"},
		{"accounts.csv", "organization,account,name,number,kind", "organization;account;name;number;kind", 1, "", "not separated by commas", "commas"},
		{"accounts.csv", "organization,account", `organization,"account`, 1, "", "does not end on its line", "a header row"},
		{"accounts.csv", "organization,", "\xff\xfeorganization,", 1, "", "UTF-16", "UTF-8"},
		{"organizations.csv", "organization,name", "organization,title", 1, "title", "no such column", "name"},

		// rows that cannot be read
		{"members.csv", ",dcole,", `,dco"le,`, 3, "", "inside a field that is not quoted", "quotation marks"},
		{"members.csv", ",Dana,", `,"Dana" ,`, 3, "", "follows the closing quotation mark", "quotation marks"},
		{"members.csv", ",Dana,", `,"Dana,`, 3, "", "does not end on its line", "quotation marks"},
		{"members.csv", ",Dana,", `,"Da` + "\n" + `na",`, 3, "", "does not end on its line", "no line break"},
		{"members.csv", ",Dana,", ",", 3, "", "the row has 18 fields", "19"},
		{"members.csv", ",Dana,", "," + strings.Repeat("D", 70_000) + ",", 3, "", "longer than 65,536 bytes", "one row"},

		// whose rows they are
		{"organizations.csv", "1002,Quillhaven", "1001,Quillhaven", 3, "organization", "1001 is in line 2 already", "once"},
		{"organizations.csv", "1002,Quillhaven", ",Quillhaven", 3, "organization", "blank", "1 to 64"},
		{"organizations.csv", "1002,Quillhaven", long + ",Quillhaven", 3, "organization", "101 characters", "1 to 64"},
		{"accounts.csv", "1002,a1", "1003,a1", 4, "organization", "1003 is not in the organizations file", "of this folder"},
		{"accounts.csv", "1001,a2", "1002,a2", 4, "organization", "", ""},
		{"members.csv", "1001,m2", "1002,m2", 4, "organization", "", ""},

		// details
		{"organizations.csv", `"Larkmere Roofing, LLC"`, ``, 2, "name", "blank", "1 to 100"},
		{"organizations.csv", `"Larkmere Roofing, LLC"`, long, 2, "name", "101 characters", "at most 100"},
		{"organizations.csv", "Larkmere", "Lark\x07mere", 2, "name", "control character", "printable"},
		{"organizations.csv", "Larkmere", "Lark\u202emere", 2, "name", "turns the direction of text", "printable"},
		{"organizations.csv", "Larkmere", "Lark\xffmere", 2, "name", "not valid UTF-8", "printable"},
		{"organizations.csv", "office@larkmere.example.com", "office at larkmere", 2, "email", "is not an email address", "name@example.com"},
		{"organizations.csv", "office@larkmere.example.com", "office@larkmere", 2, "email", "is not an email address", "name@example.com"},
		{"organizations.csv", "(507) 555-0112", long, 2, "phone", "101 characters", "at most 40"},
		{"organizations.csv", "true,true,true,true,100000.00", "yes,true,true,true,100000.00", 2, "ach.enabled", `"yes" is neither on nor off`, "true or false"},
		{"organizations.csv", "100000.00", "100000.50", 2, "wires.daily_limit", "100000.50 has cents", "whole dollars"},
		{"accounts.csv", "1001,a2", "1001,a1", 3, "account", "a1 is in line 2 already", "once"},
		{"accounts.csv", "Payroll", "", 3, "name", "blank", "1 to 100"},
		{"accounts.csv", "****4821", "821", 3, "number", "fewer than four digits", "last four"},
		{"accounts.csv", "1001,a2", "1001,", 3, "account", "blank", "1 to 64"},
		{"members.csv", "1001,m2", "1001,m1", 3, "member", "m1 is in line 2 already", "once"},
		{"members.csv", "Dana,Cole", ",Cole", 3, "first_name", "blank", "1 to 40"},
		{"members.csv", "Dana,Cole", "Dana," + strings.Repeat("C", 36), 3, "last_name", "41 characters together", "at most 40"},
		{"members.csv", "dana@larkmere.example.com", "dana", 3, "email", "is not an email address", "name@example.com"},
		{"members.csv", "dana@larkmere.example.com", strings.Repeat("d", 70) + "@example.com", 3, "email", "82 characters", "at most 80"},
		{"members.csv", "dana@larkmere.example.com", "ANA@larkmere.example.com", 3, "email", "is the email of member m1", "their own"},
		{"members.csv", "dcole", "ARuiz", 3, "username", "in line 2 as well", "nobody else"},
		{"members.csv", "joneill", "aruiz", 4, "username", "in line 2 as well", "nobody else"},
		{"members.csv", "dcole", "d cole", 3, "username", "contains a space", "letters"},
		{"members.csv", "dcole,user", "dcole,boss", 3, "role", `"boss" is no role`, "user, viewer or admin"},
		{"members.csv", "user,active", "user,gone", 3, "status", `"gone" is no status`, "pending, active, locked or disabled"},
		{"members.csv", "user,active,false", "user,active,0", 3, "held", `"0" is neither on nor off`, "true or false"},

		// permissions
		{"members.csv", "1000.5", "1,000.5", 3, "", "the row has 20 fields", "19"},
		{"members.csv", "1000.5", "$1000", 3, "ach.daily_limit", `"$1000" is not an amount`, "plain digits"},
		{"members.csv", "1000.5", "-1", 3, "ach.daily_limit", `"-1" is not an amount`, "no sign"},
		{"members.csv", "1000.5", "1e3", 3, "ach.daily_limit", `"1e3" is not an amount`, "plain digits"},
		{"members.csv", "1000.5", "1000.555", 3, "ach.daily_limit", `"1000.555" is not an amount`, "plain digits"},
		{"members.csv", "1000.5", "12345678901", 3, "ach.daily_limit", `"12345678901" is not an amount`, "at most ten"},
		{"members.csv", "10000,20000", "10000.01,20000", 3, "wires.per_wire_limit", "10000.01 has cents", "whole dollars"},
		{"members.csv", "partial", "some", 3, "ach.edit_level", `"some" is no choice`, "none, partial or full"},
		{"members.csv", "20000,true", "20000,on", 3, "wires.transmit", `"on" is neither on nor off`, "true or false"},
		{"member_accounts.csv", "5000.00", "5000.00.0", 4, "wires.per_wire_limit", "is not an amount", "plain digits"},
		{"member_accounts.csv", "1001,m2,a1", "1001,m9,a1", 4, "member", "no member m9 in this folder", "a member of the organization"},
		{"member_accounts.csv", "1001,m2,a1", "1001,m2,a9", 4, "account", "no account a9 in this folder", "an account of the organization"},
		{"member_accounts.csv", "1001,m1,a2", "1001,m1,a1", 3, "account", "in line 2 already", "each account of a member once"},
	} {
		name := fmt.Sprintf("%s %.20q to %.20q", c.file, c.old, c.now)
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			dir := folder(t, small())
			edit(t, dir, c.file, c.old, c.now)
			if c.wrong == "" { // the rows of an organization stand in two places
				w.ungrouped(dir, c.file, c.line)
				return
			}
			out, err := w.try(dir, importer.Options{JSON: true})
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("the import: %v, want the kind Invalid\n%s", err, out)
			}
			found := problems(t, out, "problem")
			for _, p := range found {
				if p.File == c.file && p.Line == c.line && p.Field == c.field && strings.Contains(p.Wrong, c.wrong) && strings.Contains(p.Right, c.rightPart) {
					w.nothing()
					return
				}
			}
			t.Errorf("the problems are %+v\nwant %s:%d: %s: …%s…; right: …%s…", found, c.file, c.line, c.field, c.wrong, c.rightPart)
		})
	}
}

// nothing insists that nothing was stored.
func (w *world) nothing() {
	w.t.Helper()
	for _, table := range []string{"institution", "organization", "history_event", "stream"} {
		if n := w.rows(table); n != 0 {
			w.t.Errorf("%d rows of %s, want none: the files are wrong", n, table)
		}
	}
}

// ungrouped appends a row of the first organization and insists that it is told
// where its other rows are.
func (w *world) ungrouped(dir, file string, line int) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		w.t.Fatal(err)
	}
	rows := strings.SplitAfter(string(text), "\n")
	write(w.t, dir, file, rows[0]+rows[1]+rows[3]+strings.Replace(rows[1], "1001,", "1001,z", 1))
	out, err := w.try(dir, importer.Options{JSON: true})
	if fault.KindOf(err) != fault.Invalid {
		w.t.Fatalf("the import: %v, want the kind Invalid", err)
	}
	for _, p := range problems(w.t, out, "problem") {
		if p.File == file && p.Line == line && p.Field == "organization" && strings.Contains(p.Wrong, "the first begin in line 2") && strings.Contains(p.Right, "sort the file") {
			w.nothing()
			return
		}
	}
	w.t.Errorf("%s is not said to be unsorted:\n%s", file, out)
}

func TestMissingAndDoubleFiles(t *testing.T) {
	for file, want := range map[string]string{
		"institution.json":  "the file is missing",
		"organizations.csv": "the file is missing",
		"accounts.csv":      "the file is missing",
		"members.csv":       "the file is missing",
	} {
		w := newWorld(t, dbtest.SQLite(t))
		dir := folder(t, small())
		if err := os.Remove(filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
		out, err := w.try(dir, importer.Options{})
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(out, want) {
			t.Errorf("without %s: %v\n%s", file, err, out)
		}
		w.nothing()
	}
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	write(t, dir, "members.jsonl", "")
	out, err := w.try(dir, importer.Options{})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(out, "there are two files") {
		t.Errorf("with two files of members: %v\n%s", err, out)
	}
	// Nobody needs to have access to any account.
	dir = folder(t, small())
	if err := os.Remove(filepath.Join(dir, "member_accounts.csv")); err != nil {
		t.Fatal(err)
	}
	w.load(dir, importer.Options{})
}

// A file from a spreadsheet: a byte order mark, carriage returns, TRUE and
// FALSE, blank lines, blanks around values.
func TestSpreadsheetsAreRead(t *testing.T) {
	w, plain := newWorld(t, dbtest.SQLite(t)), newWorld(t, dbtest.SQLite(t))
	files := small()
	plain.load(folder(t, files), importer.Options{})
	for name, text := range files {
		if strings.HasSuffix(name, ".csv") {
			text = strings.NewReplacer("\n", " \r\n\r\n", ",true", ", TRUE", ",false", ",FALSE ").Replace(text)
			files[name] = "\xef\xbb\xbf" + text
		}
	}
	w.load(folder(t, files), importer.Options{})
	a, b := w.organization("marlowick", "1001"), plain.organization("marlowick", "1001")
	for id, m := range b.Members {
		if got := a.Members[id]; got.Settings != m.Settings || got.Name() != m.Name() || got.Role != m.Role {
			t.Errorf("%s = %+v, want %+v", id, got, m)
		}
	}
}

func TestJSONLinesProblems(t *testing.T) {
	good := `{"organization": "1001", "member": "m1", "first_name": "Ana", "role": "admin", "status": "active", "held": false, "ach.daily_limit": "5000.00", "ach.view": true, "email": null, "last_name": "Ru\u00edz"}`
	for _, c := range []struct{ line, field, wrong string }{
		{good, "", ""},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana", "ach.daily_limit": 5000}`, "", "must be text in quotation marks"},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana", "first_name": "Eve"}`, "", "given twice"},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana", "accounts": {"a1": true}}`, "", "must be text"},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana", "surname": "Ruiz"}`, "surname", "no such field"},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana"`, "", "not one JSON object"},
		{`{"organization": "1001", "member": "m1", "first_name": "Ana"} x`, "", "not one JSON object"},
		{`{"organization": "1001", "member": "m1", "first_name": "An\u0000a"}`, "first_name", "control character"},
		{`{"organization": "1001", "member": "m1"}`, "first_name", "blank"},
		{`[]`, "", "not one JSON object"},
	} {
		w := newWorld(t, dbtest.SQLite(t))
		files := small()
		delete(files, "members.csv")
		delete(files, "member_accounts.csv")
		files["members.jsonl"] = c.line + "\n"
		out, err := w.try(folder(t, files), importer.Options{JSON: true})
		found := problems(t, out, "problem")
		if c.wrong == "" {
			if err != nil {
				t.Errorf("%s: %v %+v", c.line, err, found)
			}
			if m := w.organization("marlowick", "1001").Members["m1"]; m.LastName != "Ruíz" {
				t.Errorf("last name = %q", m.LastName)
			}
			continue
		}
		if len(found) != 1 || found[0].File != "members.jsonl" || found[0].Line != 1 || found[0].Field != c.field || !strings.Contains(found[0].Wrong, c.wrong) {
			t.Errorf("%s\nproblems are %+v, want one: %s: …%s…", c.line, found, c.field, c.wrong)
		}
	}
}

// Problems are told in the order of files and lines, the first ones of them,
// and the others are counted.
func TestProblemsAreInOrderAndCapped(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	files := small()
	files["organizations.csv"] = strings.Replace(files["organizations.csv"], "1002,Quillhaven Pottery", "1002,", 1)
	var members strings.Builder
	members.WriteString("organization,member,first_name,last_name,role\n")
	for i := range 3000 { // the second organization's stand first
		fmt.Fprintf(&members, "1002,m%d,Ana,Ruiz,boss\n", i)
	}
	members.WriteString("1001,m1,Ana,Ruiz,chief\n")
	files["members.csv"] = members.String()
	delete(files, "member_accounts.csv")
	out, err := w.try(folder(t, files), importer.Options{JSON: true, Shown: 5})
	if err == nil || !strings.Contains(err.Error(), "3,002 problems") {
		t.Errorf("the error is %v, want 3,002 problems", err)
	}
	var got []string
	for _, p := range problems(t, out, "problem") {
		got = append(got, fmt.Sprintf("%s:%d", p.File, p.Line))
	}
	if want := "[organizations.csv:3 members.csv:2 members.csv:3 members.csv:4 members.csv:5]"; fmt.Sprint(got) != want {
		t.Errorf("problems at %v, want %s", got, want)
	}
}

// What is inconsistent comes in and is reported, once for all lines of which
// the same is said.
func TestWarnings(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	files := small()
	files["organizations.csv"] = strings.Replace(files["organizations.csv"], "ach.enabled", "arp.enabled,ach.enabled", 1)
	files["organizations.csv"] = strings.NewReplacer("example.com,true", "example.com,true,true", "Pottery,,,,", "Pottery,,,,false,").Replace(files["organizations.csv"])
	files["members.csv"] = membersHeader + ",ach.debits\n" +
		"1001,m1,Ana,Ruiz,,,user,active,false,true,false,true,,,true,true,200000,200000,true,true\n" +
		"1001,m2,Dana,Cole,,dcole,user,active,false,false,false,true,,,true,false,,,true,\n" +
		"1002,m1,Jo,,,,admin,active,true,true,,,,,,,,,,\n"
	out := w.load(folder(t, files), importer.Options{JSON: true})
	var got []string
	for _, p := range problems(t, out, "warning") {
		got = append(got, fmt.Sprintf("%s:%d %s: %s", p.File, p.Line, p.Field, p.Wrong))
	}
	want := []string{
		"organizations.csv:2 organization: the organization has no member who can administer it",
		"organizations.csv:2 arp.enabled: the organization has ARP/Positive Pay, which the institution does not offer",
		"members.csv:1 ach.debits: the institution's edition has no such permission here; the column is ignored",
		"members.csv:2 username: an active member has no username and cannot sign in",
		"members.csv:2 user_management.enabled: User management is on for the role user, for whom it has no effect",
		"members.csv:2 ach.view: View ACH is on without ach.enabled",
		"members.csv:2 wires.daily_limit: Daily wire limit is above the organization's ceiling",
		"members.csv:3 wires.transmit: Transmit wires is on without wires.daily_limit",
		"members.csv:3 wires.transmit: Transmit wires is on without wires.per_wire_limit",
		"members.csv:3 wires.transmit: Transmit wires is on without wires.work",
		"member_accounts.csv:4 wires.transmit: Transmit wires is on without wires.daily_limit",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("warnings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(out, `"more":1`) {
		t.Error("no warning is told of more lines than its first")
	}
	if got := w.rows("member"); got != 3 {
		t.Errorf("%d members stored, want 3 as they come", got)
	}
}

// A warning names the first line of the file, in whatever order organizations
// are read.
func TestWarningNamesTheFirstLine(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	files := small()
	delete(files, "member_accounts.csv")
	files["members.csv"] = "organization,member,first_name,last_name,role,status,username,user_management.enabled,ach.view\n" +
		"1002,m1,Jo,O'Neill,admin,active,jo,true,true\n" +
		"1001,m1,Ana,Ruiz,admin,active,ana,true,true\n" +
		"1001,m2,Dana,Cole,admin,active,dana,true,true\n"
	found := problems(t, w.load(folder(t, files), importer.Options{JSON: true}), "warning")
	if len(found) != 1 || found[0].Line != 2 || found[0].More != 2 {
		t.Errorf("warnings are %+v, want one at line 2 with 2 more", found)
	}
}

// What is stored decides too: these problems need the database.
func TestProblemsAgainstWhatIsStored(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	edit(t, dir, "members.csv", "dcole,user,active", "dcole,user,disabled")
	w.load(dir, importer.Options{})
	events := w.events("")
	for _, c := range []struct {
		file, old, now string
		want           string
	}{
		{"institution.json", `"bank"`, `"credit_union"`, "institution.json 5 edition: the institution is stored with the edition bank"},
		{"members.csv", "dcole,user,disabled", "dcole,user,active", "members.csv 3 status: the member is stored as disabled, which is final"},
		{"members.csv", "1001,m2,Dana,Cole,dana@larkmere.example.com,dcole", "1001,m3,Eve,Cole,eve@larkmere.example.com,DCole", "members.csv 3 username: DCole is the username of member m2, who is stored already"},
		{"members.csv", "1001,m2,Dana,Cole,dana@larkmere.example.com,dcole", "1001,m3,Eve,Cole,dana@larkmere.example.com,ecole", "members.csv 3 email: dana@larkmere.example.com is the email of member m2 of the same organization as well"},
	} {
		files := small()
		files["members.csv"] = strings.Replace(files["members.csv"], "dcole,user,active", "dcole,user,disabled", 1)
		files["member_accounts.csv"] = strings.Replace(files["member_accounts.csv"], "1001,m2,a1,true,true,true,5000.00\n", "", 1)
		dir := folder(t, files)
		edit(t, dir, c.file, c.old, c.now)
		out, err := w.try(dir, importer.Options{JSON: true})
		found := problems(t, out, "problem")
		if err == nil || len(found) != 1 || fmt.Sprintf("%s %d %s: %s", found[0].File, found[0].Line, found[0].Field, found[0].Wrong) != c.want {
			t.Errorf("%q to %q: %v\n%+v\nwant %s", c.old, c.now, err, found, c.want)
		}
	}
	if got := w.events(""); got != events {
		t.Errorf("%d events, want %d: nothing was imported", got, events)
	}
}

// One organization's member accounts are held in memory, so they are bounded.
func TestMemberAccountsOfAnOrganizationAreBounded(t *testing.T) {
	const members, accounts = 501, 500
	files := small()
	files["organizations.csv"] = "organization,name\n1001,Larkmere\n"
	var m, a, access strings.Builder
	m.WriteString("organization,member,first_name,last_name\n")
	a.WriteString("organization,account,name\n")
	access.WriteString("organization,member,account,account.access\n")
	for i := range members {
		fmt.Fprintf(&m, "1001,m%d,Ana,Ruiz\n", i)
		for j := range accounts {
			fmt.Fprintf(&access, "1001,m%d,a%d,true\n", i, j)
		}
	}
	for j := range accounts {
		fmt.Fprintf(&a, "1001,a%d,Operating\n", j)
	}
	files["members.csv"], files["accounts.csv"], files["member_accounts.csv"] = m.String(), a.String(), access.String()
	w := newWorld(t, dbtest.SQLite(t))
	out, err := w.try(folder(t, files), importer.Options{JSON: true})
	found := problems(t, out, "problem")
	if fault.KindOf(err) != fault.Invalid || len(found) == 0 || found[0].Line != 250_002 || !strings.Contains(found[0].Wrong, "more than 250,000 member accounts") {
		t.Errorf("the import: %v, %+v; want a problem at line 250,002", err, found)
	}
	w.nothing()
}
