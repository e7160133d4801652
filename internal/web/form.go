package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web/ui"
)

// A Form is what somebody typed, and what is wrong with it. It comes back to
// the page as it was, with every problem at its field.
type Form struct {
	Sentence string // what is wrong with the whole
	Problems fault.Problems

	values url.Values
}

// ReadForm reads the form of a POST. The token has been checked by then.
func ReadForm(r *http.Request) *Form { return &Form{values: r.PostForm} }

// NewForm is a form that nobody has filled in yet, with its first values.
func NewForm(values map[string]string) *Form {
	f := &Form{values: url.Values{}}
	for name, value := range values {
		f.values.Set(name, value)
	}
	return f
}

// With returns the form with all values of a name, for one that can be given
// several times.
func (f *Form) With(name string, values []string) *Form {
	f.values[name] = values
	return f
}

// Raw is a field exactly as it was sent: for passwords and codes.
func (f *Form) Raw(name string) string { return f.values.Get(name) }

// Text is a field without blanks around it. Control characters and marks that
// change the direction of writing are refused: they can make one name look
// like another.
func (f *Form) Text(name string, most int) string {
	s := strings.TrimSpace(f.values.Get(name))
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, invisible):
		f.Wrong(name, "Remove the characters that cannot be seen.")
	case utf8.RuneCountInString(s) > most:
		f.Problems.Addf(name, "Use at most %d characters.", most)
	}
	return s
}

func invisible(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u200b' || r == '\ufeff'
}

// Required is Text that must not be empty; the sentence asks for it.
func (f *Form) Required(name string, most int, sentence string) string {
	s := f.Text(name, most)
	if s == "" {
		f.Wrong(name, sentence)
	}
	return s
}

// Money is an amount as people write it: "$25,000.00". An empty field is zero.
func (f *Form) Money(name string) bank.Cents {
	s := strings.TrimSpace(f.values.Get(name))
	if s == "" {
		return 0
	}
	c, err := bank.ParseMoney(s)
	if err != nil {
		f.Wrong(name, "Write an amount like $25,000.00, without a minus sign.")
	}
	return c
}

// Choice is one of the values offered; anything else is a problem.
func (f *Form) Choice(name, sentence string, offered ...string) string {
	s := f.values.Get(name)
	if !slices.Contains(offered, s) {
		f.Wrong(name, sentence)
		return ""
	}
	return s
}

// Checked reports whether a checkbox was ticked.
func (f *Form) Checked(name string) bool { return f.values.Get(name) == "on" }

// Switch tells whether a ui.Switch was on the form at all, and whether it is on.
func (f *Form) Switch(name string) (on, shown bool) {
	sent := f.values[name]
	return slices.Contains(sent, "on"), len(sent) > 0
}

// Sent reports whether the form had a field of this name.
func (f *Form) Sent(name string) bool { return f.values.Has(name) }

// All are the values of a field that may be given several times.
func (f *Form) All(name string) []string { return f.values[name] }

// Wrong notes what is wrong with a field.
func (f *Form) Wrong(name, sentence string) { f.Problems.Add(name, sentence) }

// Names are the names of all fields that were sent, in order.
func (f *Form) Names() []string { return slices.Sorted(maps.Keys(f.values)) }

// OK reports whether nothing is wrong so far.
func (f *Form) OK() bool { return f.Sentence == "" && len(f.Problems) == 0 }

// Take keeps what a verb found wrong with the input, and returns any other
// error: if err := form.Take(verb(...)); err != nil { return err }. What could
// not be read the verb has not seen: what it says of such a field is left out,
// so that one mistake is one sentence.
func (f *Form) Take(err error) error {
	if err == nil || fault.KindOf(err) != fault.Invalid {
		return err
	}
	f.Sentence = SentenceOf(err)
	unread := f.Problems
	for _, p := range fault.ProblemsOf(err) {
		if !slices.ContainsFunc(unread, func(u fault.Problem) bool { return p.Field != "" && u.Field == p.Field }) {
			f.Problems = append(f.Problems, p)
		}
	}
	return nil
}

// Problem is the first thing that is wrong with a field.
func (f *Form) Problem(name string) string {
	for _, p := range f.Problems {
		if p.Field == name {
			return p.Sentence
		}
	}
	return ""
}

// Field is a field of the page with what was typed and what is wrong with it.
func (f *Form) Field(name, label string) ui.Field {
	field := ui.Field{Name: name, Label: label, Value: f.values.Get(name), Problem: f.Problem(name)}
	if on, _ := f.Switch(name); on {
		field.Value = "on"
	}
	return field
}

// Status is that of the page the form stands on: it came back, or it is new.
func (f *Form) Status() int {
	if f.OK() {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}
