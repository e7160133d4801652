package staff

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// overseen are the rights whose use can need the agreement of another group.
var overseen = catalog.StaffSetOf(catalog.PeopleManageAll)

// freely marks, among what somebody holds or a group gives, that overseen rights
// are used without anybody's agreement. It is a right like any other where one
// asks who may give what: whoever needs agreement cannot give away, or take for
// themself, what needs none.
const freely catalog.StaffSet = 1 << 63

// holds is everything that the group gives its members.
func (d Draft) holds() holding { return holding{}.with(d) }

// freelyHeld are the console's rights that the group gives, and whether they are
// used without agreement.
func (d Draft) freelyHeld() catalog.StaffSet {
	rights := d.Permissions.Effective()
	if rights&overseen != 0 && d.ApprovalFrom == ApprovalNobody {
		rights |= freely
	}
	return rights
}

// rightLabels are rights in words.
func rightLabels(rights catalog.StaffSet) []string {
	labels := rights.Labels()
	if rights&freely != 0 {
		for p := range overseen.All() {
			labels = append(labels, p.Info().Label+" without anybody’s agreement")
		}
	}
	return labels
}

// Oversight says whose agreement a staff user needs to use a right, and whether
// they hold it. Where one of their groups gives it without agreement, none is
// needed; where several need some, the one that asks for least decides.
func (Rights) Oversight(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID, right string) (o approval.Oversight, may bool, err error) {
	p := catalog.ParseStaffPermission(right)
	held, err := rightsOf(tx, institution, id)
	if err != nil {
		return o, false, err
	}
	groups, err := groupsOf(tx, institution, id)
	if err != nil {
		return o, false, err
	}
	var strict []Group
	for _, g := range groups {
		switch {
		case !g.Permissions.Effective().Has(p):
		case g.ApprovalFrom == ApprovalNobody || !overseen.Has(p):
			return o, held.Has(p), nil
		default:
			strict = append(strict, g)
		}
	}
	if len(strict) == 0 {
		return o, held.Has(p), nil
	}
	least := slices.MinFunc(strict, func(a, b Group) int { return cmp.Compare(strictness(a), strictness(b)) })
	o, err = overseers(tx, institution, least, id, p)
	return o, held.Has(p), err
}

func strictness(g Group) int {
	if g.ApprovalFrom == ApprovalEveryone {
		return 1
	}
	return 0
}

// overseers are who may agree in the group that a group reports to.
func overseers(tx *db.Tx, institution bank.InstitutionID, of Group, asker bank.StaffID, p catalog.StaffPermission) (approval.Oversight, error) {
	over, err := findGroup(tx, institution, of.ReportsTo)
	if err != nil {
		return approval.Oversight{}, err
	}
	o := approval.Oversight{Group: over.ID, Name: over.Name, Every: of.ApprovalFrom == ApprovalEveryone}
	members, err := everyMember(tx, institution, over.ID)
	if err != nil {
		return o, err
	}
	for _, m := range members {
		if m.ID == asker || m.Status != bank.StatusActive {
			continue
		}
		held, err := rightsOf(tx, institution, m.ID)
		if err != nil {
			return o, err
		}
		if held.Has(p) {
			o.Voices = append(o.Voices, approval.Voice{ID: m.ID, Name: m.Name(), Email: m.Email})
		}
	}
	return o, nil
}

// A Teller tells staff by mail what waits for their agreement, and what came of
// what they asked for. What it is about stays behind the sign-in.
type Teller struct {
	Mailer identity.Mailer
	House  Houses
}

var _ approval.StaffTeller = Teller{}

// StaffAsked tells those who may agree.
func (t Teller) StaffAsked(tx *db.Tx, item approval.Item, voices []approval.Voice) error {
	for _, v := range voices {
		err := t.tell(tx, item, "asked", v, identity.Mail{Subject: "Waiting for your agreement", Lines: []string{
			item.Initiator.Name + " wants to change what an organization has. It waits for your group.",
			"Nothing is changed until then. You find it under Approvals, after you have signed in."}})
		if err != nil {
			return err
		}
	}
	return nil
}

// StaffDecided tells whoever asked.
func (t Teller) StaffDecided(tx *db.Tx, item approval.Item) error {
	u, err := findUser(tx, item.Institution, bank.StaffID(item.Initiator.ID))
	if err != nil {
		return ignoreGone(err)
	}
	subject, line := "Your change was made", item.By.Name+" agreed to what you asked for, and it is done."
	switch item.State {
	case approval.Rejected:
		subject, line = "Your change was rejected", item.By.Name+" rejected what you asked for. Nothing was changed."
	case approval.Expired:
		subject, line = "Nobody agreed in time", "What you asked for was not done: nobody decided in time."
	}
	return t.tell(tx, item, string(item.State), approval.Voice{ID: u.ID, Name: u.Name(), Email: u.Email}, identity.Mail{Subject: subject, Lines: []string{line}})
}

func ignoreGone(err error) error {
	if err == ErrNoUser {
		return nil
	}
	return err
}

func (t Teller) tell(tx *db.Tx, item approval.Item, what string, to approval.Voice, m identity.Mail) error {
	house, err := t.House(tx, item.Institution)
	if err != nil {
		return fmt.Errorf("find the institution: %w", err)
	}
	m.Key, m.Kind, m.Institution, m.Purpose = "staff "+what+" "+item.ID+" "+string(to.ID), identity.KindStaff, item.Institution, "approval."+what
	m.To, m.Name, m.From = to.Email, to.Name, house.Name
	m.Button, m.Page = "Look at it", "/"+url.PathEscape(string(item.Institution))+"/approvals/"+url.PathEscape(item.ID)
	if err := t.Mailer.Queue(tx, m); err != nil {
		return fmt.Errorf("queue a notice: %w", err)
	}
	return nil
}
