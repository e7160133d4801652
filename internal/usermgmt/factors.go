package usermgmt

import (
	"context"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A FactorPolicy says of whom an institution requires a second factor, and from
// which of its days on. The zero policy requires it of nobody; whoever has one is
// asked for it anyway.
type FactorPolicy struct {
	Members     SecondFactor
	MembersFrom bank.Day // empty: since ever
	StaffFrom   bank.Day // of all staff; empty: only where one of their groups asks for it
}

// SecondFactor says of which members a second factor is required.
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

// requires reports whether the policy asks a second factor of a member today.
func (p FactorPolicy) requires(role bank.Role, on catalog.Set, today bank.Day) bool {
	return p.MembersFrom <= today && p.Members.requires(role, on)
}

func (p FactorPolicy) check() error {
	var problems fault.Problems
	for field, day := range map[string]bank.Day{"members_from": p.MembersFrom, "staff_from": p.StaffFrom} {
		if _, err := bank.ParseDay(string(day)); day != "" && err != nil {
			problems.Add(field, "Enter a date like 2026-03-02.")
		}
	}
	if p.Members == 0 && p.MembersFrom != "" {
		problems.Add("members_from", "Say of whom, or leave the date empty.")
	}
	return problems.Err("The requirement cannot be saved like this.")
}

// relaxes reports whether somebody would need no second factor who needs one now,
// or would need it later only.
func (p FactorPolicy) relaxes(was FactorPolicy) bool {
	return was.Members&^p.Members != 0 ||
		was.Members&p.Members != 0 && p.MembersFrom > was.MembersFrom ||
		was.StaffFrom != "" && (p.StaffFrom == "" || p.StaffFrom > was.StaffFrom)
}

func (p FactorPolicy) text() string {
	return strings.Join([]string{p.Members.String(), string(p.MembersFrom), string(p.StaffFrom)}, "\n")
}

// sentences say what a change of the policy means; lacks is how many of the
// members whom it names have no second factor yet.
func (p FactorPolicy) sentences(was FactorPolicy, place string, lacks int) (lines []Effect) {
	from := func(day bank.Day) string {
		if day == "" {
			return "From now on"
		}
		return "From " + string(day) + " on (" + place + ")"
	}
	if p.Members != 0 && (p.Members != was.Members || p.MembersFrom != was.MembersFrom) {
		lines = append(lines, Effect{Takes: was.Members != 0 && p.MembersFrom > was.MembersFrom,
			Text: fmt.Sprintf("%s a second factor is required of %s. %s; they enrol one when they sign in next.",
				from(p.MembersFrom), p.Members, people(lacks, "member of these has none yet", "members of these have none yet"))})
	}
	if gone := was.Members &^ p.Members; gone != 0 {
		lines = append(lines, Effect{Takes: true, Text: "It is no longer required of " + gone.String() + ". Whoever has one is still asked for it."})
	}
	switch {
	case p.StaffFrom == was.StaffFrom:
	case p.StaffFrom == "":
		lines = append(lines, Effect{Takes: true, Text: "Staff need a second factor only where one of their groups asks for it."})
	default:
		lines = append(lines, Effect{Takes: was.StaffFrom != "" && p.StaffFrom > was.StaffFrom, Text: from(p.StaffFrom) + " every staff user needs a second factor; whoever has none enrols one when they sign in next."})
	}
	return lines
}

// PreviewFactors says what a policy would change. Nothing is changed by it.
func (s *Service) PreviewFactors(ctx context.Context, caller bank.Caller, p FactorPolicy) (effects []Effect, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	err = s.guard.Look(ctx, caller, setting(eventFactors, caller.Institution), func(v *guard.View) error {
		i, err := institution(v, caller.Institution)
		if err != nil {
			return err
		}
		lacks, err := lacking(v.Tx, caller.Institution, p.Members)
		effects = p.sentences(i.Factors, i.TimeZone, lacks)
		return err
	})
	return effects, err
}

// lacking counts the members whom a requirement names and who have no second
// factor.
func lacking(tx *db.Tx, institution bank.InstitutionID, f SecondFactor) (n int, err error) {
	type one struct {
		id   string
		role bank.Role
		on   catalog.Set
	}
	all, err := db.All(tx, func(s db.Scanner) (o one, err error) {
		err = s.Scan(&o.id, &o.role, &o.on)
		return o, err
	}, `select id, role, switches from member where institution_id = $1 and status = $2`, institution, bank.StatusActive)
	if err != nil {
		return 0, fmt.Errorf("list the members: %w", err)
	}
	have, err := identity.FactorHolders(tx, institution, identity.KindMember)
	for _, m := range all {
		if f.requires(m.role, m.on) && !have[m.id] {
			n++
		}
	}
	return n, err
}

const eventFactors = "institution.second_factor_changed"

// RequireSecondFactor changes of whom a second factor is required, and from when
// on. Whoever has none enrols one when they sign in next. Asking less needs a
// high-risk authorization.
func (s *Service) RequireSecondFactor(ctx context.Context, caller bank.Caller, p FactorPolicy) error {
	if err := p.check(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(eventFactors, caller.Institution), func(c *guard.Change) error {
		i, known, err := FindInstitution(c.Tx, caller.Institution)
		if err != nil || !known {
			return fmt.Errorf("read the setting (found: %t): %w", known, err)
		}
		was := i.Factors
		if was == p {
			return nil
		}
		if p.relaxes(was) {
			if err := c.RequireProof([]byte(p.text())); err != nil {
				return err
			}
		}
		err = touchOne(c.Tx.Exec(`update institution set second_factor = $1, second_factor_from = $2, staff_factor_from = $3 where id = $4`,
			p.Members, p.MembersFrom, p.StaffFrom, caller.Institution))
		if err != nil {
			return fmt.Errorf("store the setting: %w", err)
		}
		var changes changeList
		changes.add("second_factor", was.Members.String(), p.Members.String())
		changes.add("second_factor_from", string(was.MembersFrom), string(p.MembersFrom))
		changes.add("staff_factor_from", string(was.StaffFrom), string(p.StaffFrom))
		c.Record([]activity.Change(changes)...)
		return nil
	})
}
