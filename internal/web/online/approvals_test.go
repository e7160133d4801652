package online_test

import (
	"strings"
	"testing"
	"time"

	"mandate/internal/approval"
	"mandate/internal/approval/approvaltest"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// names are what people are called.
func (p *purse) names(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error) {
	of, err := usermgmt.NamesOf(tx, institution, organization, entitlement.Scope{Members: members})
	if err != nil {
		return nil, err
	}
	called := map[bank.UserID]string{}
	for _, id := range members {
		called[id] = of(id).Member
	}
	return called, nil
}

// paper is something that waits and is no payment.
type paper = approvaltest.Paper

// asks makes a paper wait, on somebody's right.
func (p *purse) asks(username, name, ref string, content paper) approval.Item {
	p.t.Helper()
	who := bank.Caller{Kind: bank.ActorMember, ID: string(userID(username)), Name: name, Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
	item, err := p.papers.Ask(p.t.Context(), who, ref, content)
	if err != nil {
		p.t.Fatal(err)
	}
	return item
}

// lee is a second person who sends wires.
func (p *purse) lee() {
	p.add("lee", "Lee", "Tran", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
}

func TestASecondPersonApprovesOnTheScreen(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.lee()
		item := p.asks("dana", "Dana Diaz", "1", paper{Content: "pay", Cents: 500_00})
		other := p.asks("dana", "Dana Diaz", "2", paper{Content: "pay", Cents: 700_00})
		dana, lee := p.as("dana"), p.as("lee")
		lee.get("/cedar/home").says(t, "Approvals 2 waiting", "2 payments wait for your approval")
		dana.get("/cedar/home").saysNot(t, "waiting", "your approval")
		dana.get("/cedar/approvals").says(t, "Nothing waits for you")
		dana.get("/cedar/approvals?show=others").says(t, "Paper 1", "Operating ••0137", "Dana Diaz", "Mar 2, 2026, 10:00 AM", "Mar 9, 2026, 11:00 AM", "Lee Tran", "$500.00")
		lee.get("/cedar/approvals").says(t, "Paper 1", "Paper 2", "You")
		p.as("uma").get("/cedar/approvals/"+item.ID).is(t, 404)
		own := dana.get("/cedar/approvals/" + item.ID)
		own.says(t, "Why you cannot decide", "Somebody else must approve this: you made or edited it.", "Payee Harbor Supplies")
		own.saysNot(t, "Your decision")
		page := lee.get("/cedar/approvals/" + item.ID)
		page.says(t, "Your decision", "Lee Tran (you)", "Payee Harbor Supplies", "Waits until Mar 9, 2026")
		form := page.carries()
		form.Set("comment", "Checked with the yard")
		lee.proves("/cedar/approvals/"+item.ID+"/approve", form).says(t, "Approved by Lee Tran", "“Checked with the yard”")
		lee.post("/cedar/approvals/"+item.ID+"/approve", form).is(t, 409)
		form.Set("comment", "No")
		lee.post("/cedar/approvals/"+other.ID+"/reject", form).says(t, "Rejected by Lee Tran", "“No”")
		if len(p.papers.Over) != 1 {
			t.Errorf("the room was told %v", p.papers.Over)
		}
		dana.get("/cedar/approvals?show=decided").says(t, "Paper 1", "Approved by Lee Tran", "Paper 2", "Rejected by Lee Tran")
		lee.get("/cedar/home").saysNot(t, "waiting")
	})
}

// Whoever decides is shown what stands against it, and decides nothing.
func TestAnApprovalThatMayNotBe(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.lee()
		item := p.asks("dana", "Dana Diaz", "1", paper{Content: "pay", Cents: 500_00})
		at := "/cedar/approvals/" + item.ID
		lee := p.as("lee")
		form := lee.get(at).carries()
		form.Set("comment", strings.Repeat("x", approval.MaxComment+1))
		lee.post(at+"/approve", form).says(t, "Use at most 500 characters.")
		form.Set("comment", "kept")
		p.papers.Put("1", paper{Content: "pay more", Cents: 900_00})
		changed := lee.post(at+"/approve", form)
		changed.is(t, 409)
		changed.says(t, "Nothing was decided", "This was changed after you saw it.", "This is no longer what was asked for")
		changed.saysNot(t, "Your decision")
		lee.get("/cedar/approvals").says(t, "Nothing waits for you")
		own := p.as("dana").post(at+"/approve", form)
		own.is(t, 409)
		p.papers.Put("1", paper{Content: "pay", Cents: 500_00})
		lee.get(at).says(t, "Your decision")
		own = p.as("dana").post(at+"/approve", form)
		own.is(t, 403)
		own.says(t, "Somebody else must approve this")
		p.papers.Put("1", paper{Content: "pay", Cents: 30_000_00})
		lee.get(at).says(t, "Why you cannot decide", "Your Per wire limit is $25,000.00.", "Who can change it: an admin of the organization, in User management", "Nobody can approve this now")
		p.clock.Set(time.Date(2026, 3, 10, 14, 0, 0, 0, time.UTC))
		p.papers.Put("1", paper{Content: "pay", Cents: 500_00})
		late := p.as("lee").post(at+"/approve", form)
		late.is(t, 409)
		late.says(t, "The time to decide about this is over.")
		if _, err := p.queue.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.as("dana").get(at).says(t, "Nobody decided in time")
	})
}

func TestApprovalInABrowser(t *testing.T) {
	for _, scripts := range []bool{true, false} {
		t.Run(map[bool]string{true: "with scripts", false: "without scripts"}[scripts], func(t *testing.T) {
			p := newPurse(t, dbtest.SQLite(t))
			p.lee()
			p.asks("dana", "Dana Diaz", "1", paper{Content: "pay", Cents: 12_500_00})
			p.asks("dana", "Dana Diaz", "2", paper{Content: "pay", Cents: 700_00})
			p.asks("lee", "Lee Tran", "3", paper{Content: "pay", Cents: 700_00})
			lee := p.shows(t, "lee", scripts)
			look := func(name string) {
				if scripts {
					lee.look(name)
				}
			}
			lee.Click("Approvals")
			look("approvals")
			lee.Click("Waiting for others")
			look("approvals-others")
			lee.Click("Paper 3")
			look("approval-own")
			lee.Click("Approvals")
			lee.Click("Paper 1")
			look("approval")
			lee.Fill("Comment", "Checked with the yard")
			lee.Click("Approve")
			lee.proves()
			lee.See("Approved by Lee Tran")
			look("approval-decided")
			lee.Click("Approvals")
			lee.Click("Paper 2")
			lee.Fill("Comment", "Not this one")
			lee.Click("Reject")
			lee.See("Rejected by Lee Tran")
			lee.Click("Approvals")
			lee.See("Nothing waits for you")
			look("approvals-empty")
			lee.Click("Decided")
			look("approvals-decided")
		})
	}
}
