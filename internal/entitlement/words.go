package entitlement

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Names are what people call the parties of a question. A nil Account shows an
// account's id.
type Names struct {
	Member       string // "Dana Reyes"; empty: said to the person themself, as "you"
	Organization string
	Institution  string
	Account      func(bank.AccountID) string
}

func (n Names) account(id bank.AccountID) string {
	if n.Account == nil || n.Account(id) == "" {
		return string(id)
	}
	return n.Account(id)
}

func (n Names) organization() string { return or(n.Organization, "The organization") }
func (n Names) institution() string  { return or(n.Institution, "The institution") }

func (n Names) owner() string { // "Dana Reyes's" or "your"
	if n.Member == "" {
		return "your"
	}
	return n.Member + "'s"
}

func (n Names) is() string { // "Dana Reyes is" or "You are"
	if n.Member == "" {
		return "You are"
	}
	return n.Member + " is"
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Sentence says why the reason blocks. A hold is told to administrators only:
// said to the person themself it reads like any other state (product rule).
func (r Reason) Sentence(n Names) string {
	switch r.Code {
	case MemberStatus:
		return n.is() + " not active."
	case MemberHeld:
		if n.Member == "" {
			return "You are not active."
		}
		return n.owner() + " account access is on hold."
	case RoleForbids:
		return fmt.Sprintf("%s role does not include this.", upper(n.owner()))
	case InstitutionOff:
		return fmt.Sprintf("%s does not offer %s.", n.institution(), r.entitlement())
	case OrganizationOff:
		return fmt.Sprintf("%s does not have %s.", n.organization(), r.entitlement())
	case OrganizationAccountOff:
		return fmt.Sprintf("%s is switched off for %s.", r.entitlement(), n.account(r.Account))
	case NotInEdition:
		return fmt.Sprintf("%s does not exist at %s.", r.label(), n.institution())
	case UserOff:
		return fmt.Sprintf("%s is off in %s permissions.", r.label(), n.owner())
	case AccountAccessOff:
		return fmt.Sprintf("%s no access to %s.", has(n), n.account(r.Account))
	case AccountOff:
		return fmt.Sprintf("%s is off for %s on %s.", r.label(), or(n.Member, "you"), n.account(r.Account))
	case UnknownAccount:
		if r.Account == "" {
			return "No account was named."
		}
		return fmt.Sprintf("%s has no account %s.", n.organization(), r.Account)
	case SameAccount:
		return "Money cannot move from an account to itself."
	case SecondPersonRequired:
		return fmt.Sprintf("%s the last to edit this batch, so somebody else must send it: Full ACH control is off.", n.is())
	case InvalidAmount:
		return "The amount is missing, zero or not an amount."
	case InvalidDate:
		return "The effective date is not a date, or lies before today."
	case InvalidContext:
		return "Something said about the payment is of the wrong kind."
	case UnknownOperation:
		return "There is no such operation."
	case UnknownMember:
		return "There is no such organization user."
	case LimitPerTransaction, LimitDaily:
		return r.limitSentence(n)
	case ApprovalRequired:
		return "A second person must approve this first."
	case SelfApproval:
		return "Somebody else must approve this: " + or(n.Member, "you") + " made or edited it."
	case InitiatorNotAllowed:
		return "Whoever initiated this may no longer send it."
	case ApproverNotAllowed:
		return "Whoever approved this no longer may."
	case NotApproved:
		return "A second person must approve this first."
	}
	return string(r.Code)
}

func has(n Names) string {
	if n.Member == "" {
		return "You have"
	}
	return n.Member + " has"
}

func (r Reason) limitSentence(n Names) string {
	of := ""
	switch r.Level {
	case LevelOrganization:
		of = n.organization() + "'s ceiling for the "
	case LevelUserAccount:
		of = fmt.Sprintf("On %s, %s ", n.account(r.Account), n.owner())
	default:
		of = upper(n.owner()) + " "
	}
	if r.Code == LimitDaily {
		return fmt.Sprintf("%s%s is %s; %s of it is used on that day.", of, r.label(), r.Limit.Dollars(), r.Used.Dollars())
	}
	return fmt.Sprintf("%s%s is %s.", of, r.label(), r.Limit.Dollars())
}

func (r Reason) label() string {
	if r.Permission >= NoPermission {
		return ""
	}
	info := r.Permission.Info()
	if info.Label == "Enabled" {
		return info.Entitlement.Label()
	}
	return info.Label
}

func (r Reason) entitlement() string { return r.Permission.Info().Entitlement.Label() }

func upper(s string) string {
	if s == "your" {
		return "Your"
	}
	return s
}

// Sentence says what to do, as an instruction.
func (s Step) Sentence(n Names) string {
	label := Reason{Permission: s.Permission}.label()
	switch s.Kind {
	case SetRole:
		return fmt.Sprintf("Make %s role %s.", n.owner(), s.Role.Label())
	case RemoveHold:
		return fmt.Sprintf("Remove the hold on %s account access.", n.owner())
	case Unlock:
		return fmt.Sprintf("Unlock %s account access.", n.owner())
	case FinishJoining:
		return fmt.Sprintf("%s must finish joining: create credentials and sign in once.", or(n.Member, "You"))
	case Offer:
		return fmt.Sprintf("Offer %s to customers.", label)
	case GiveEntitlement:
		return fmt.Sprintf("Turn on %s for %s.", label, or(n.Organization, "the organization"))
	case SwitchAccount:
		return fmt.Sprintf("Turn on %s for the account %s.", label, n.account(s.Account))
	case RaiseCeiling:
		return fmt.Sprintf("Raise the organization's ceiling for the %s to at least %s.", label, s.Value.Cents.Dollars())
	}
	where := ""
	if s.Account != "" {
		where = " on " + n.account(s.Account)
	}
	switch s.Value.Kind {
	case LimitValue:
		return fmt.Sprintf("Set %s %s%s to at least %s.", n.owner(), label, where, s.Value.Cents.Dollars())
	case ChoiceValue:
		return fmt.Sprintf("Set %s %s to %s.", n.owner(), label, s.Value.Level.Label())
	}
	if s.Permission == catalog.AccountAccess {
		return fmt.Sprintf("Give %s access to %s.", or(n.Member, "yourself"), n.account(s.Account))
	}
	return fmt.Sprintf("Turn on %s for %s%s.", label, or(n.Member, "yourself"), where)
}

// Sentence says who the place is.
func (p Place) Sentence() string {
	return [...]string{
		AdminOnline:     "an admin of the organization, in User management",
		StaffPeople:     "the institution's staff, in People",
		InstitutionSets: "the institution, in its settings",
		OnHost:          "the institution, on the host",
		ThePerson:       "the person themself",
	}[p]
}

// Sentence says what is wrong with a change and what would be right.
func (p Problem) Sentence() string {
	label := p.Permission
	if named, ok := catalog.ParsePermission(p.Permission); ok {
		label = Reason{Permission: named}.label()
	}
	switch p.Code {
	case ActorNotAllowed:
		return "You may not change these permissions."
	case NoSuchMember:
		return "There is no such person in this organization."
	case NoSuchAccount:
		return "The organization has no such account."
	case UnknownPermission:
		return fmt.Sprintf("There is no permission %s here.", label)
	case InvalidValue:
		return invalidValue(p.Permission, label)
	case AboveCeiling:
		return fmt.Sprintf("%s is above the organization's ceiling, which the institution sets.", label)
	case RoleForbidsIt:
		return "User management stays off for the role User. Change the role first."
	case SelfRaise:
		return fmt.Sprintf("Nobody raises their own permissions while another admin can do it: ask them to change %s.", label)
	case Prerequisite:
		return fmt.Sprintf("%s needs %s.", label, needed(p.Needs))
	case DependentOn:
		return fmt.Sprintf("%s is on and needs %s. Turn it off as well, or keep what it needs.", label, needed(p.Needs))
	}
	return string(p.Code)
}

func invalidValue(id, label string) string {
	p, _ := catalog.ParsePermission(id)
	switch p.Info().Type {
	case catalog.Switch:
		return label + " is on or off."
	case catalog.Choice:
		return label + " is Full edit/create, Partial edit or None."
	case catalog.WholeDollar:
		return label + " is an amount in whole dollars, such as 25000.00."
	}
	return label + " is an amount such as 25000.00."
}

func needed(p catalog.Permission) string {
	label := Reason{Permission: p}.label()
	if p.IsLimit() {
		return "a " + label + " above zero"
	}
	return label + " to be on"
}

// Tested says in a few words what a check tested, where it passed.
func (c Check) Tested(n Names) string {
	on := ""
	if c.Account != "" {
		on = " on " + n.account(c.Account)
	}
	switch c.Code {
	case MemberStatus:
		return "active"
	case MemberHeld:
		return "not on hold"
	case RoleForbids:
		return "the role includes it"
	case InstitutionOff:
		return c.entitlement() + " is offered"
	case OrganizationOff:
		return "the organization has " + c.entitlement()
	case OrganizationAccountOff:
		return c.entitlement() + " is on for the account" + on
	case AccountAccessOff:
		return "access" + on
	case LimitPerTransaction:
		return fmt.Sprintf("within the %s%s of %s", c.label(), on, c.Limit.Dollars())
	case LimitDaily:
		return fmt.Sprintf("within the %s%s of %s, of which %s is used", c.label(), on, c.Limit.Dollars(), c.Used.Dollars())
	}
	return c.label() + " is on" + on
}
