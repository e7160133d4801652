package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Bounds of what a product may declare.
const (
	MaxDeclaration  = 100_000 // bytes
	MaxPermissions  = 200
	maxPermissionID = 80
)

var permissionID = regexp.MustCompile(`^[a-z0-9]+([._:-][a-z0-9]+)*$`)

// problemsOf says everything that is wrong with a declaration.
func problemsOf(d catalog.Declaration) fault.Problems {
	var problems fault.Problems
	wrong := func(format string, args ...any) { problems.Addf("permissions", format, args...) }
	if d.Version < 1 {
		problems.Add("version", "Give the declaration a version, from 1 on.")
	}
	if n := len(d.Permissions); n > MaxPermissions {
		wrong("These are %d permissions. The most is %d.", n, MaxPermissions)
	}
	all := d.All()
	seen := map[string]bool{}
	for i, p := range d.Permissions {
		name := fmt.Sprintf("Permission %d", i+1)
		switch {
		case len(p.ID) > maxPermissionID || !permissionID.MatchString(p.ID):
			wrong("%s: the id must be of small letters and digits, with dots between, such as wires.release.", name)
			continue
		case catalog.ParseStaffPermission(p.ID) != catalog.UnknownStaffPermission:
			wrong("%s is a permission of the console. Choose another id.", p.ID)
		case seen[p.ID]:
			wrong("%s is declared twice.", p.ID)
		}
		seen[p.ID] = true
		if n := utf8.RuneCountInString(p.Label); n == 0 || n > MaxName || !bank.Printable(p.Label) || p.Label != strings.TrimSpace(p.Label) {
			wrong("%s: give it a label of at most %d characters.", p.ID, MaxName)
		}
		if utf8.RuneCountInString(p.Area) > MaxName || !bank.Printable(p.Area) {
			wrong("%s: give it an area of at most %d characters, or none.", p.ID, MaxName)
		}
		for _, v := range p.Views {
			if !all.Has(v) || v == p.ID {
				wrong("%s: %q is not another permission of this declaration.", p.ID, v)
			}
		}
	}
	return problems
}

// ReadDeclaration reads the JSON of a declaration and says everything that is
// wrong with it.
func ReadDeclaration(text string) (d catalog.Declaration, err error) {
	var problems fault.Problems
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&d)
	if _, more := decoder.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("something follows it")
	}
	switch {
	case len(text) > MaxDeclaration:
		problems.Addf("declaration", "The declaration is longer than %d bytes.", MaxDeclaration)
	case strings.TrimSpace(text) == "":
		problems.Add("declaration", "Paste the declaration that the product’s maker gave you.")
	case err != nil:
		problems.Addf("declaration", "This is not a declaration: %v.", err)
	default:
		for _, p := range problemsOf(d) {
			problems.Add("declaration", p.Sentence)
		}
	}
	return d, problems.Err("The declaration cannot be taken like this.")
}

// A Declaring is what declaring something would mean. Nothing has been stored.
type Declaring struct {
	Now, Was catalog.Declaration
	New      bool // it has declared nothing yet
	Adds     []string
	Removes  []string
	Effects  []catalog.GroupEffect
}

// Same reports whether it declares what is declared already.
func (d *Declaring) Same() bool { return !d.New && reflect.DeepEqual(d.Now, d.Was) }

// Declared is what an application declares now; false where it declares nothing.
func (s *Service) Declared(ctx context.Context, caller bank.Caller, id bank.ApplicationID) (d catalog.Declaration, there bool, err error) {
	err = s.guard.Look(ctx, caller, action("external_app.viewed", id), func(v *guard.View) error {
		if _, err := Find(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		d, there, err = s.staff.Declared(v.Tx, caller.Institution, id)
		return err
	})
	return d, there, err
}

// PreviewDeclaration says which permissions come and go, and which groups gain
// and lose what, if an application declared this.
func (s *Service) PreviewDeclaration(ctx context.Context, caller bank.Caller, id bank.ApplicationID, d catalog.Declaration) (p Declaring, err error) {
	err = s.guard.Look(ctx, caller, action(EventDeclared, id), func(v *guard.View) error {
		if _, err := Find(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		p = Declaring{Now: d}
		var there bool
		if p.Was, there, err = s.staff.Declared(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		p.New = !there
		p.Adds, p.Removes = d.Labels(d.All().Without(p.Was.All())), p.Was.Labels(p.Was.All().Without(d.All()))
		p.Effects, err = s.staff.Effects(v.Tx, caller.Institution, id, d)
		return err
	})
	return p, err
}

// Declare stores what an application declares. Its groups follow in the same
// change: what is no longer declared is taken from them. Declaring the same
// again changes nothing. Where a group gains or loses by it, it needs a
// high-risk authorization.
func (s *Service) Declare(ctx context.Context, caller bank.Caller, id bank.ApplicationID, d catalog.Declaration) error {
	if err := problemsOf(d).Err("The declaration cannot be taken like this."); err != nil {
		return err
	}
	return s.change(ctx, caller, EventDeclared, id, func(c *guard.Change, a Application) error {
		was, there, err := s.staff.Declared(c.Tx, caller.Institution, id)
		if err != nil || there && reflect.DeepEqual(was, d) {
			return err
		}
		effects, err := s.staff.Effects(c.Tx, caller.Institution, id, d)
		if err != nil {
			return err
		}
		if len(effects) > 0 {
			if err := c.RequireProof(content(d)); err != nil {
				return err
			}
		}
		c.RecordAs(EventDeclared, a.target(), "", declarationChanges(was, d)...)
		return s.staff.Declare(c, id, a.Name, d)
	})
}

// declarationChanges lists what differs between two declarations.
func declarationChanges(was, now catalog.Declaration) []activity.Change {
	version := func(v int64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(v, 10)
	}
	all := []activity.Change{{Field: "version", Old: version(was.Version), New: version(now.Version)}}
	for _, id := range was.All().And(now.All()).IDs() {
		if old, new := inWords(was, id), inWords(now, id); old != new {
			all = append(all, activity.Change{Field: id, Old: old, New: new})
		}
	}
	return all
}

// inWords is a declared permission as the history carries it.
func inWords(d catalog.Declaration, id string) string {
	p, ok := d.Find(id)
	if !ok {
		return ""
	}
	text := p.Label
	if p.Area != "" {
		text = p.Area + ": " + text
	}
	if len(p.Views) > 0 {
		text += fmt.Sprintf(" (ticks %s)", strings.Join(p.Views, ", "))
	}
	return text
}

// Dependents are the groups of an application's product, with what each would
// lose without it.
func (s *Service) Dependents(ctx context.Context, caller bank.Caller, id bank.ApplicationID) (effects []catalog.GroupEffect, err error) {
	err = s.guard.Look(ctx, caller, action("external_app.viewed", id), func(v *guard.View) error {
		effects, err = s.staff.Dependents(v.Tx, caller.Institution, id)
		return err
	})
	return effects, err
}
