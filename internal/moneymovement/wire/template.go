package wire

import (
	"context"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Template is a wire that is sent again and again, without its day. Its amount
// is the usual one; zero where there is none.
type Template struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           TemplateID
	Name         string
	Instruction
	Maker   Somebody
	Editor  string // who changed it last; empty: nobody
	Created time.Time
	Edited  time.Time
	Deleted bool
	Version int64

	hash string
}

func (t *Template) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(t.ID), Name: "wire template " + t.Name}
}

// A TemplateDraft is a template that is asked for.
type TemplateDraft struct {
	ID   TemplateID
	Name string
	Instruction
}

func (d *TemplateDraft) checkShape() error {
	var problems fault.Problems
	if !templateIDSyntax.MatchString(string(d.ID)) {
		problems.Add("id", "Open the form again.")
	}
	d.Instruction.checkShape(&problems)
	if len(d.Name) > maxText || !utf8.ValidString(d.Name) {
		problems.Add("name", "Remove what cannot be seen, or write less.")
	}
	return problems.Err("This template cannot be made as it stands.")
}

func (d *TemplateDraft) check(c *guard.Change) error {
	d.tidy()
	var problems fault.Problems
	carried(&problems, "name", "Give the template a name.", d.Name, MaxTemplateName)
	d.Instruction.check(&problems)
	if d.Cents < 0 || d.Cents > bank.MaxAmount {
		problems.Add("amount", "Write an amount like $1,250.00, or leave it empty.")
	}
	taken, err := templateNamed(c.Tx, place{c.Caller.Institution, c.Caller.Organization}, d.Name, d.ID)
	if err != nil {
		return err
	}
	if taken {
		problems.Add("name", "There is a template of that name. Choose another one.")
	}
	return problems.Err("This template cannot be made as it stands.")
}

// CreateTemplate keeps a template. The same draft again makes nothing.
func (s *Service) CreateTemplate(ctx context.Context, caller bank.Caller, d TemplateDraft) error {
	if err := d.checkShape(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, changingTemplate(caller, EventTemplateCreated, d.ID, d.Account), func(c *guard.Change) error {
		hash := hashOf(d)
		known, found, err := findTemplate(c.Tx, place{caller.Institution, caller.Organization}, d.ID)
		if found || err != nil {
			return orReused(err, known.hash == hash && known.Maker.ID == caller.Member())
		}
		if err := d.check(c); err != nil {
			return err
		}
		if err := allow(c, on(catalog.WiresTemplateCreateOperation, caller.Member(), d.Account, c.Tx.Now)); err != nil {
			return err
		}
		t := Template{
			Institution: caller.Institution, Organization: caller.Organization, ID: d.ID, Name: d.Name, Instruction: d.Instruction, Maker: somebody(caller), Created: c.Tx.Now, hash: hash,
		}
		c.RecordQuiet(EventTemplateCreated, t.target(), "", t.told()...)
		return insertTemplate(c.Tx, &t)
	})
}

func changingTemplate(caller bank.Caller, event string, id TemplateID, accounts ...bank.AccountID) guard.Action {
	return guard.Action{
		Event: event, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "wire template"}, Scope: scopeOf(caller.Member(), accounts...),
	}
}

// oneTemplate reads the template that a change is about, for whoever may do what
// they want with it: the right to see wires is part of every other.
func oneTemplate(c *guard.Change, op catalog.Operation, id TemplateID, version int64) (Template, error) {
	t, found, err := findTemplate(c.Tx, place{c.Caller.Institution, c.Caller.Organization}, id)
	if err != nil {
		return Template{}, err
	}
	if !found || t.Deleted {
		return Template{}, ErrNoTemplate
	}
	if err := c.Widen(scopeOf(c.Caller.Member(), t.Account)); err != nil {
		return Template{}, err
	}
	if err := allow(c, on(op, c.Caller.Member(), t.Account, c.Tx.Now)); err != nil {
		return Template{}, err
	}
	if t.Version != version {
		return t, ErrStalePattern
	}
	return t, nil
}

// EditTemplate changes a template. Wires that were drawn from it stay as they
// are.
func (s *Service) EditTemplate(ctx context.Context, caller bank.Caller, version int64, d TemplateDraft) error {
	if err := d.checkShape(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, changingTemplate(caller, EventTemplateEdited, d.ID, d.Account), func(c *guard.Change) error {
		t, err := oneTemplate(c, catalog.WiresTemplateEditOperation, d.ID, version)
		if err != nil {
			return err
		}
		if err := d.check(c); err != nil {
			return err
		}
		if err := allow(c, on(catalog.WiresTemplateEditOperation, caller.Member(), d.Account, c.Tx.Now)); err != nil {
			return err
		}
		changes := t.differences(&d.Instruction)
		if t.Name != d.Name {
			changes = append(changes, activity.Change{Field: "name", Old: t.Name, New: d.Name})
		}
		t.Name, t.Instruction, t.Editor, t.Edited, t.Version = d.Name, d.Instruction, caller.Name, c.Tx.Now, t.Version+1
		c.RecordQuiet(EventTemplateEdited, t.target(), "", changes...)
		return updateTemplate(c.Tx, &t)
	})
}

// DeleteTemplate takes a template away. Wires that were drawn from it stay. It
// takes the right that made it, and at credit unions the right to delete.
func (s *Service) DeleteTemplate(ctx context.Context, caller bank.Caller, id TemplateID, version int64) error {
	return s.guard.Do(ctx, caller, changingTemplate(caller, EventTemplateDeleted, id), func(c *guard.Change) error {
		t, err := oneTemplate(c, catalog.WiresView, id, version)
		if err != nil {
			return err
		}
		req := on(catalog.WiresTemplateCreateOperation, caller.Member(), t.Account, c.Tx.Now)
		if c.Policy.Institution.Edition == bank.EditionCreditUnion {
			req = deleting(caller.Member(), t.Account, c.Tx.Now)
		}
		if err := allow(c, req); err != nil {
			return err
		}
		t.Deleted, t.Editor, t.Edited, t.Version = true, caller.Name, c.Tx.Now, t.Version+1
		c.RecordQuiet(EventTemplateDeleted, t.target(), "")
		return updateTemplate(c.Tx, &t)
	})
}

// accountOf finds the account of a template before the door is passed.
func (s *Service) accountOf(ctx context.Context, caller bank.Caller, id TemplateID) (account bank.AccountID, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		t, found, err := findTemplate(tx, place{caller.Institution, caller.Organization}, id)
		if err == nil && !found {
			err = ErrNoTemplate
		}
		account = t.Account
		return err
	})
	return account, err
}

// draw takes a template into a draft and its wire: whom it pays comes from the
// template as it was seen, amount and remarks from the draft.
func (w *Wire) draw(c *guard.Change, d *Draft) error {
	t, err := oneTemplate(c, catalog.WiresView, d.Template, d.TemplateVersion)
	if err != nil {
		return err
	}
	cents, remarks := d.Cents, d.Remarks
	d.Instruction = t.Instruction
	d.Cents, d.Remarks = cents, remarks
	w.Template, w.TemplateName = t.ID, t.Name
	return nil
}
