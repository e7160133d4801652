package positivepay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/layout"
)

// A Field is something that a list says of a check.
type Field string

const (
	Number Field = "number"
	Amount Field = "amount"
	Date   Field = "date"
	Payee  Field = "payee"
	Type   Field = "type"
)

var fieldLabels = map[Field]string{Number: "Check number", Amount: "Amount", Date: "Date", Payee: "Payee", Type: "Type"}

// Fields are all fields in the order of screens.
func Fields() []Field { return []Field{Number, Amount, Date, Payee, Type} }

// Label is the field as screens show it.
func (f Field) Label() string { return fieldLabels[f] }

// Required reports whether every layout must say where the field is.
func (f Field) Required() bool { return f == Number || f == Amount || f == Date }

// A DateForm is how a list writes dates.
type DateForm string

// Date forms by what they look like on March 2, 2026.
const (
	DateDashes  DateForm = "2026-03-02"
	DateSlashes DateForm = "03/02/2026"
	DatePlain   DateForm = "20260302"
	DateUS      DateForm = "03022026"
	DateShort   DateForm = "030226"
)

var dateLayouts = map[DateForm][]string{
	DateDashes: {"2006-01-02"}, DateSlashes: {"01/02/2006", "1/2/2006"}, DatePlain: {"20060102"}, DateUS: {"01022006"}, DateShort: {"010206"},
}

// DateForms are all of them in the order of screens.
func DateForms() []DateForm { return []DateForm{DateDashes, DateSlashes, DatePlain, DateUS, DateShort} }

// A Layout says how to read an organization's own lists of a format.
type Layout struct {
	Format layout.Format          `json:"format"`
	Places map[Field]layout.Place `json:"places"`
	Dates  DateForm               `json:"dates"`
	Cents  bool                   `json:"cents,omitempty"`  // amounts have no point and end in two digits of cents
	Titles bool                   `json:"titles,omitempty"` // the first line holds titles and is left out
}

// Check says everything that is wrong with a layout.
func (l Layout) Check() error {
	var problems fault.Problems
	if l.Format.Label() == "" {
		problems.Add("format", "Choose fixed position, CSV or tab-delimited.")
	}
	if dateLayouts[l.Dates] == nil {
		problems.Add("dates", "Choose how the file writes dates.")
	}
	for i, f := range Fields() {
		place, placed := l.Places[f]
		switch {
		case !placed && f.Required():
			problems.Addf(string(f), "Say where the %s is.", strings.ToLower(f.Label()))
		case placed && place.Problem(l.Format) != "":
			problems.Add(string(f), place.Problem(l.Format))
		case placed:
			for _, other := range Fields()[:i] {
				if taken, there := l.Places[other]; there && place.Touches(taken) {
					problems.Addf(string(f), "The %s is there already.", strings.ToLower(other.Label()))
				}
			}
		}
	}
	for f := range l.Places {
		if !slices.Contains(Fields(), f) {
			problems.Addf("places", "There is no field %q.", f)
		}
	}
	return problems.Err("The layout cannot be used.")
}

// SetLayout says how the organization's own lists of a format are read. Whoever
// may upload on some account may set it.
func (s *Service) SetLayout(ctx context.Context, caller bank.Caller, l Layout) error {
	if err := l.Check(); err != nil {
		return err
	}
	action := looking(caller)
	action.Event, action.Target.Name = EventLayout, "layout for "+l.Format.Label()+" files"
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if err := mayUpload(c); err != nil {
			return err
		}
		old, _, err := layoutText(c.Tx, placeOf(caller), l.Format)
		if err != nil {
			return err
		}
		text, err := json.Marshal(l)
		if err != nil || old == string(text) {
			return err
		}
		c.RecordQuiet(EventLayout, action.Target, "", activity.Change{Field: "layout", Old: old, New: string(text)})
		_, err = c.Tx.Exec(`
			insert into arp_layout (institution_id, organization_id, format, layout, by_name, at_micros) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id, organization_id, format) do update
			   set layout = excluded.layout, by_name = excluded.by_name, at_micros = excluded.at_micros`,
			caller.Institution, caller.Organization, l.Format, string(text), caller.Name, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("store the layout: %w", err)
		}
		return nil
	})
}

// mayUpload refuses whoever may not upload on any account.
func mayUpload(c *guard.Change) error {
	if ids := allowed(c.Policy, catalog.ARPFileUpload, c.Caller.Member(), c.Tx.Now); len(ids) > 0 {
		return nil
	}
	account := likeliest(c.Policy, c.Caller.Member(), nil, c.Tx.Now)
	return mayOn(c.Policy, catalog.ARPFileUpload, c.Caller.Member(), account, c.Tx.Now)
}

func layoutText(tx *db.Tx, at place, f layout.Format) (text string, found bool, err error) {
	text, err = db.One(tx, db.Value[string], `select layout from arp_layout where institution_id = $1 and organization_id = $2 and format = $3`,
		at.institution, at.organization, f)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the layout: %w", err)
	}
	return text, true, nil
}

func layoutOf(tx *db.Tx, at place, f layout.Format) (l Layout, found bool, err error) {
	text, found, err := layoutText(tx, at, f)
	if err != nil || !found {
		return l, false, err
	}
	return l, true, json.Unmarshal([]byte(text), &l)
}
