package ach

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
	"mandate/internal/moneymovement/ach/nacha"
)

// A Sender is the institution as files name it.
type Sender struct {
	Routing, Name                string // the institution
	Destination, DestinationName string // where its files go: the ACH operator
}

// A Company is an originator, set up by the institution.
type Company struct {
	ID       CompanyID
	Ident    string // the ten characters that files carry
	Name     string
	Classes  []string   // standard entry classes; none: any
	Exposure bank.Cents // the most that may leave for it in a day; zero: no such limit
}

// setting is an action of those who set ACH up: staff and the operator.
func setting(event string, organization bank.OrganizationID, target activity.Target) guard.Action {
	return guard.Action{Event: event, Organization: organization, Target: target, Staff: catalog.InstitutionSettingsManage.ID(),
		Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost}}
}

func institutionTarget(id bank.InstitutionID) activity.Target {
	return activity.Target{Kind: activity.TargetInstitution, ID: string(id), Name: "ACH"}
}

func organizationTarget(id bank.OrganizationID) activity.Target {
	return activity.Target{Kind: activity.TargetOrganization, ID: string(id), Name: "ACH"}
}

// SetSender says how the institution's files are addressed.
func (s *Service) SetSender(ctx context.Context, caller bank.Caller, sender Sender) error {
	var problems fault.Problems
	for field, routing := range map[string]string{"routing": sender.Routing, "destination": sender.Destination} {
		if !bank.IsRouting(routing) {
			problems.Add(field, "A routing number has nine digits, the last of which checks the others.")
		}
	}
	for field, name := range map[string]string{"name": sender.Name, "destination_name": sender.DestinationName} {
		if name == "" || len(name) > 23 || !nacha.Plain(name) {
			problems.Add(field, "Write a name of at most 23 plain characters.")
		}
	}
	if err := problems.Err("The sender cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting("ach.sender_changed", "", institutionTarget(caller.Institution)), func(c *guard.Change) error {
		old, _, err := senderOf(c.Tx, caller.Institution)
		if err != nil || old == sender {
			return err
		}
		c.Record(activity.Change{Field: "routing", Old: old.Routing, New: sender.Routing}, activity.Change{Field: "name", Old: old.Name, New: sender.Name},
			activity.Change{Field: "destination", Old: old.Destination, New: sender.Destination})
		_, err = c.Tx.Exec(`
			insert into ach_sender (institution_id, routing, name, destination, destination_name) values ($1, $2, $3, $4, $5)
			on conflict (institution_id) do update set routing = excluded.routing, name = excluded.name,
			   destination = excluded.destination, destination_name = excluded.destination_name`,
			caller.Institution, sender.Routing, sender.Name, sender.Destination, sender.DestinationName)
		return err
	})
}

// Sender reads how an institution's files are addressed, for those who keep it;
// the zero Sender where nothing is set.
func (s *Service) Sender(ctx context.Context, caller bank.Caller) (sender Sender, err error) {
	err = s.guard.Look(ctx, caller, setting("ach.sender_changed", "", institutionTarget(caller.Institution)), func(v *guard.View) error {
		sender, _, err = senderOf(v.Tx, caller.Institution)
		return err
	})
	return sender, err
}

func senderOf(tx *db.Tx, institution bank.InstitutionID) (sender Sender, found bool, err error) {
	err = tx.QueryRow(`select routing, name, destination, destination_name from ach_sender where institution_id = $1`, institution).
		Scan(&sender.Routing, &sender.Name, &sender.Destination, &sender.DestinationName)
	if errors.Is(err, db.ErrNoRows) {
		return Sender{}, false, nil
	}
	if err != nil {
		return Sender{}, false, fmt.Errorf("read how files are addressed: %w", err)
	}
	return sender, true, nil
}

// SetRelaxed says whether an organization's files may name any company.
func (s *Service) SetRelaxed(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, relaxed bool) error {
	return s.guard.Do(ctx, caller, setting("ach.rules_changed", organization, organizationTarget(organization)), func(c *guard.Change) error {
		at := place{caller.Institution, organization}
		old, err := relaxedAt(c.Tx, at)
		if err != nil || old == relaxed {
			return err
		}
		if relaxed {
			if err := c.RequireProof([]byte("any company")); err != nil {
				return err
			}
		}
		c.RecordQuiet("ach.rules_changed", organizationTarget(organization), "", activity.Change{Field: "relaxed", Old: yes(old), New: yes(relaxed)})
		_, err = c.Tx.Exec(`
			insert into ach_rules (institution_id, organization_id, relaxed) values ($1, $2, $3)
			on conflict (institution_id, organization_id) do update set relaxed = excluded.relaxed`, at.institution, at.organization, relaxed)
		return err
	})
}

func relaxedAt(tx *db.Tx, at place) (relaxed bool, err error) {
	err = tx.QueryRow(`select relaxed from ach_rules where institution_id = $1 and organization_id = $2`, at.institution, at.organization).Scan(&relaxed)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return relaxed, err
}

func yes(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// Companies are the companies of an organization, and whether its files may name
// any other, for those who set them up.
func (s *Service) Companies(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (all []Company, relaxed bool, err error) {
	err = s.guard.Look(ctx, caller, setting("ach.company_changed", organization, organizationTarget(organization)), func(v *guard.View) error {
		at := place{caller.Institution, organization}
		if relaxed, err = relaxedAt(v.Tx, at); err != nil {
			return fmt.Errorf("read whether any company may be named: %w", err)
		}
		all, err = companiesAt(v.Tx, at)
		return err
	})
	return all, relaxed, err
}

// SetCompany sets a company up, or changes the one with the same identification.
// Letting more leave than before needs a high-risk authorization.
func (s *Service) SetCompany(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, company Company) error {
	if err := company.check(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting("ach.company_changed", organization, organizationTarget(organization)), func(c *guard.Change) error {
		at := place{caller.Institution, organization}
		all, err := companiesAt(c.Tx, at)
		if err != nil {
			return err
		}
		old := Company{ID: CompanyID(bank.NewID(prefixCompany, c.Tx.Now))}
		for _, known := range all {
			if known.Ident == company.Ident {
				old = known
			}
		}
		if old.text() == company.text() {
			return nil
		}
		if company.widens(old) {
			if err := c.RequireProof([]byte(company.Ident + " " + company.text())); err != nil {
				return err
			}
		}
		company.ID = old.ID
		c.RecordQuiet("ach.company_changed", organizationTarget(organization), "", activity.Change{Field: "company " + company.Ident, Old: old.text(), New: company.text()})
		classes, err := json.Marshal(company.Classes)
		if err != nil {
			return err
		}
		_, err = c.Tx.Exec(`
			insert into ach_company (institution_id, organization_id, id, ident, name, classes, exposure) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (institution_id, organization_id, id) do update
			   set name = excluded.name, classes = excluded.classes, exposure = excluded.exposure`,
			at.institution, at.organization, company.ID, company.Ident, company.Name, string(classes), company.Exposure)
		return err
	})
}

// widens reports whether more may leave for the company than before: it was not
// there, has a class more, or a higher exposure.
func (c Company) widens(old Company) bool {
	switch {
	case old.Ident == "":
		return true
	case old.Exposure != 0 && (c.Exposure == 0 || c.Exposure > old.Exposure):
		return true
	case len(old.Classes) == 0:
		return false
	}
	return len(c.Classes) == 0 || slices.ContainsFunc(c.Classes, func(class string) bool { return !slices.Contains(old.Classes, class) })
}

func (c Company) text() string {
	if c.Ident == "" {
		return ""
	}
	return fmt.Sprintf("%s, %s, %s a day", c.Name, strings.Join(c.Classes, " "), c.Exposure)
}

func (c Company) check() error {
	var problems fault.Problems
	if c.Ident == "" || len(c.Ident) > nacha.MaxCompanyID || !nacha.Plain(c.Ident) {
		problems.Addf("ident", "Write the company identification in at most %d plain characters.", nacha.MaxCompanyID)
	}
	if c.Name == "" || len(c.Name) > nacha.MaxCompanyName || !nacha.Plain(c.Name) {
		problems.Addf("name", "Write the company name in at most %d plain characters.", nacha.MaxCompanyName)
	}
	for _, class := range c.Classes {
		if len(class) != 3 || strings.ToUpper(class) != class {
			problems.Addf("classes", "%q is no standard entry class.", class)
		}
	}
	if c.Exposure < 0 {
		problems.Add("exposure", "Write an amount.")
	}
	return problems.Err("The company cannot be saved.")
}

func companiesAt(tx *db.Tx, at place) ([]Company, error) {
	all, err := db.All(tx, func(s db.Scanner) (c Company, err error) {
		var classes string
		if err := s.Scan(&c.ID, &c.Ident, &c.Name, &classes, &c.Exposure); err != nil {
			return c, err
		}
		err = json.Unmarshal([]byte(classes), &c.Classes)
		return c, err
	}, `select id, ident, name, classes, exposure from ach_company
		 where institution_id = $1 and organization_id = $2 order by name, id`, at.institution, at.organization)
	if err != nil {
		return nil, fmt.Errorf("read the companies: %w", err)
	}
	return all, nil
}

// rulesAt are the rules that an organization's files are read by.
func rulesAt(tx *db.Tx, at place) (rules nacha.Rules, err error) {
	if rules.Relaxed, err = relaxedAt(tx, at); err != nil {
		return rules, err
	}
	companies, err := companiesAt(tx, at)
	for _, c := range companies {
		rules.Companies = append(rules.Companies, nacha.Company{ID: c.Ident, Name: c.Name, SECs: c.Classes})
	}
	return rules, err
}

// A Category groups batches, and can be restricted as they can.
type Category struct {
	ID         CategoryID
	Name       string
	Restricted bool
}

// SetCategory makes a category, or renames or restricts one that has an id.
// Whoever makes it restricted, or touches a restricted one, needs the right.
func (s *Service) SetCategory(ctx context.Context, caller bank.Caller, category Category) (id CategoryID, err error) {
	category.Name = strings.TrimSpace(category.Name)
	if category.Name == "" || len([]rune(category.Name)) > MaxBatchName {
		var problems fault.Problems
		problems.Addf("name", "Write a name of at most %d characters.", MaxBatchName)
		return "", problems.Err("The category cannot be saved.")
	}
	action := doing("ach.category_changed", caller.Organization, activity.Target{Kind: activity.TargetPayment, ID: string(category.ID), Name: "Category"})
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		all, err := categoriesAt(c.Tx, at)
		if err != nil {
			return err
		}
		old := Category{ID: CategoryID(bank.NewID(prefixCategory, c.Tx.Now))}
		if category.ID != "" {
			i := slices.IndexFunc(all, func(k Category) bool { return k.ID == category.ID })
			if i < 0 || all[i].Restricted && !may(c, catalog.ACHBatchView, asking{restricted: true}) {
				return ErrNoCategory
			}
			old = all[i]
		}
		if err := permit(c, catalog.ACHBatchEdit, asking{restricted: old.Restricted || category.Restricted}); err != nil {
			return err
		}
		for _, k := range all {
			if k.ID != old.ID && db.Fold(k.Name) == db.Fold(category.Name) {
				return fault.New(fault.Conflict, "There is a category of that name already.")
			}
		}
		if id = old.ID; old.Name == category.Name && old.Restricted == category.Restricted {
			return nil
		}
		target := activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: category.Name}
		c.RecordQuiet(action.Event, target, "", activity.Change{Field: "name", Old: old.Name, New: category.Name},
			activity.Change{Field: "restricted", Old: yes(old.Restricted), New: yes(category.Restricted)})
		_, err = c.Tx.Exec(`
			insert into ach_category (institution_id, organization_id, id, name, name_key, restricted) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id, organization_id, id) do update
			   set name = excluded.name, name_key = excluded.name_key, restricted = excluded.restricted`,
			at.institution, at.organization, id, category.Name, db.Fold(category.Name), category.Restricted)
		return err
	})
	return id, err
}

func categoriesAt(tx *db.Tx, at place) ([]Category, error) {
	all, err := db.All(tx, func(s db.Scanner) (c Category, err error) {
		err = s.Scan(&c.ID, &c.Name, &c.Restricted)
		return c, err
	}, `select id, name, restricted from ach_category where institution_id = $1 and organization_id = $2 order by name_key, id`,
		at.institution, at.organization)
	if err != nil {
		return nil, fmt.Errorf("read the categories: %w", err)
	}
	return all, nil
}
