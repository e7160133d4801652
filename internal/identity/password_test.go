package identity

import (
	"strings"
	"testing"
)

func TestPasswords(t *testing.T) {
	dana := &Person{FirstName: "Dana", LastName: "Whitfield", OrganizationName: "Northwind Supplies", InstitutionName: "Harbor Bank", Email: "dana.whitfield@northwind.example"}
	long := dana.PasswordRules("dwhit")
	for _, good := range []Secret{
		"correct horse battery staple", "dragon shadow monkey sunshine", "ünïcödé ist mir lieb", "tr4verse-quilt-88-onyx",
		"northwind pays for quiet evenings", "                 x7k2m9q4v", Secret(strings.Repeat("ab7-xk92 ", 28) + "end!"),
	} {
		if problems := CheckPassword(good, long); len(problems) > 0 {
			t.Errorf("%q is refused: %v", string(good), problems)
		}
	}
	bad := map[Secret]string{
		"abcdefgh1jklmn":                        "at least 15",
		"":                                      "at least 15",
		Secret(strings.Repeat("x7k2m9q4v", 29)): "at most 256",
		"passwordpassword":                      "many people use",
		"PASSWORD 1234567":                      "many people use",
		"p@ssw0rd-sunshine":                     "many people use",
		"aaaaaaaaaaaaaaaa":                      "pattern",
		"k4vq k4vq k4vq k4vq":                   "pattern",
		"abcdefghijklmnop":                      "pattern",
		"Northwind2026!!!!!":                    "northwind",
		"n0rthw1nd-whitfield":                   "northwind",
		"dana.whitfield@northwind":              "northwind",
		"harborbank 123456789":                  "harborbank",
	}
	for password, want := range bad {
		problems := CheckPassword(password, long)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Sentence, want) && p.Field == "password"
		}
		if !found {
			t.Errorf("%q: got %v, want %q", string(password), problems, want)
		}
	}
	dana.NeedsSecond = true
	short := dana.PasswordRules("dwhit")
	if problems := CheckPassword("x7k2m9qv", short); len(problems) > 0 {
		t.Errorf("eight characters beside a second factor are refused: %v", problems)
	}
	if problems := CheckPassword("x7k2m9q", short); len(problems) != 1 {
		t.Errorf("seven characters: %v", problems)
	}
	for _, common := range []Secret{"baseball", "P@ssw0rd", "monkey12", "iloveyou!"} {
		if problems := CheckPassword(common, short); len(problems) == 0 {
			t.Errorf("%q is accepted", string(common))
		}
	}
}

func TestListOfCommonPasswords(t *testing.T) {
	if n := len(listed()); n < 45_000 {
		t.Errorf("the list has %d entries", n)
	}
	for _, word := range []string{"123456", "password", "qwertyuiop"} {
		if !isListed(word) {
			t.Errorf("%q is not found in the list", word)
		}
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("correct horse battery staple", "Dana")
	f.Add("\xff\xfe\x00", "é")
	f.Fuzz(func(t *testing.T, password, name string) {
		CheckPassword(Secret(password), PasswordRules{Least: 15, Context: []string{name}})
	})
}
