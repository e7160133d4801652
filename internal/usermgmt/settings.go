package usermgmt

import (
	"context"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// SecondFactor says of whom an institution requires a second factor. The zero
// value requires it of nobody; whoever has one is asked for it anyway.
type SecondFactor uint8

const (
	OfAdmins    SecondFactor = 1 << iota // of everybody whose role is Admin
	OfApprovers                          // of everybody who may let money leave: transmit wires, initiate ACH
)

var secondFactorNames = map[SecondFactor]string{OfAdmins: "admins", OfApprovers: "approvers"}

func (f SecondFactor) String() string {
	var names []string
	for _, one := range []SecondFactor{OfAdmins, OfApprovers} {
		if f&one != 0 {
			names = append(names, secondFactorNames[one])
		}
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// ParseSecondFactor reads names such as "admins" and "approvers".
func ParseSecondFactor(names []string) (f SecondFactor, err error) {
	for _, name := range names {
		switch strings.TrimSpace(name) {
		case "admins":
			f |= OfAdmins
		case "approvers":
			f |= OfApprovers
		case "nobody", "":
		default:
			var problems fault.Problems
			problems.Addf("second_factor", "%q is none of admins, approvers, nobody", name)
			return 0, problems.Err("The setting was not changed.")
		}
	}
	return f, nil
}

// approves are the rights by which somebody may let money leave.
var approves = catalog.SetOf(catalog.ACHInitiate, catalog.WiresTransmit)

// requires reports whether the setting asks a second factor of a member.
func (f SecondFactor) requires(role bank.Role, on catalog.Set) bool {
	return f&OfAdmins != 0 && role == bank.RoleAdmin || f&OfApprovers != 0 && on&approves != 0
}

// setting is the action of changing an institution's own settings.
func setting(event string, institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event: event, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution)},
	}
}

// RequireSecondFactor changes of whom a second factor is required. Whoever has
// none enrols one when they sign in next.
func (s *Service) RequireSecondFactor(ctx context.Context, caller bank.Caller, f SecondFactor) error {
	return s.guard.Do(ctx, caller, setting("institution.second_factor_changed", caller.Institution), func(c *guard.Change) error {
		was, err := db.One(c.Tx, db.Value[SecondFactor], `select second_factor from institution where id = $1`, caller.Institution)
		if err != nil {
			return fmt.Errorf("read the setting: %w", err)
		}
		if was == f {
			return nil
		}
		if err := touchOne(c.Tx.Exec(`update institution set second_factor = $1 where id = $2`, f, caller.Institution)); err != nil {
			return fmt.Errorf("store the setting: %w", err)
		}
		c.Record(change("second_factor", was.String(), f.String()))
		return nil
	})
}

// ChangeDefaults changes what a new member of a role starts with.
func (s *Service) ChangeDefaults(ctx context.Context, caller bank.Caller, role bank.Role, to entitlement.Settings) error {
	return s.guard.Do(ctx, caller, setting("institution.defaults_changed", caller.Institution), func(c *guard.Change) error {
		was, err := Defaults(c.Tx, caller.Institution, role)
		if err != nil {
			return err
		}
		changes := diff("", was, to)
		if len(changes) == 0 {
			return nil
		}
		if err := SetDefaults(c.Tx, caller.Institution, role, to); err != nil {
			return err
		}
		c.RecordAs("institution.defaults_changed", activity.Target{Kind: activity.TargetInstitution, ID: string(caller.Institution), Name: role.Label()}, "", changes...)
		return nil
	})
}
