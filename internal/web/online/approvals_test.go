package online_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mandate/internal/approval"
	"mandate/internal/approval/approvaltest"
	"mandate/internal/bank"
	"mandate/internal/db"
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
		dana.get("/cedar/approvals/decided").says(t, "Paper 1", "Approved by Lee Tran", "Paper 2", "Rejected by Lee Tran")
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
	eachShowing(t, func(t *testing.T, p showing) {
		p.lee()
		p.asks("dana", "Dana Diaz", "1", paper{Content: "pay", Cents: 12_500_00})
		p.asks("dana", "Dana Diaz", "2", paper{Content: "pay", Cents: 700_00})
		p.asks("lee", "Lee Tran", "3", paper{Content: "pay", Cents: 700_00})
		lee := p.shows("lee")
		look := func(name string) { p.look(lee, name) }
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
		p.decidedBefore(3_000)
		dana := p.shows("dana")
		dana.Click("Approvals")
		dana.Click("Decided")
		dana.See("3,002 decisions, $")
		dana.See("1–50 of 3,002")
		p.look(dana, "approvals-decided")
		dana.Click("Next")
		dana.See("51–100 of 3,002")
		dana.Choose("Person", "Kim Park")
		if !p.scripts {
			dana.Click("Search")
		}
		dana.See("1,000 of 3,002 decisions")
		dana.Choose("Outcome", "Rejected")
		dana.Choose("Date", "Last 30 days")
		if !p.scripts {
			dana.Click("Search")
		}
		dana.See("10 of 3,002 decisions")
		p.look(dana, "approvals-decided-narrowed")
	})
}

// decidedBefore fills the queue with papers that Dana asked for and that were
// decided in the three thousand hours before, as the queue keeps them.
func (p *purse) decidedBefore(n int) {
	p.t.Helper()
	people := [][2]string{{"usr_lee", "Lee Tran"}, {"usr_kim", "Kim Park"}, {"usr_ines", "Ines Vidal-Hernandez"}}
	p.write(func(tx *db.Tx) error {
		for i := range n {
			ref := fmt.Sprint("old ", i)
			p.papers.Put(ref, paper{Content: "pay", Cents: bank.Cents(100_00 + i)})
			state := []approval.State{approval.Released, approval.Rejected, approval.Withdrawn, approval.SentBack}[i/3%4]
			decided := tx.Now.Add(-time.Duration(i) * time.Hour * 6).UnixMicro()
			_, err := tx.Exec(`
				insert into approval_item (institution_id, organization_id, id, kind, ref, title, account_id, cents, state, content_hash, initiator_id, initiator_name,
					asked_micros, expires_micros, decider_id, decider_name, decided_micros, comment)
				values ($1, $2, $3, 'paper', $4, $5, 'acc_operating', $6, $7, '', 'usr_dana', 'Dana Diaz', $8, $8, $9, $10, $8, '')`,
				cedar, northwind, fmt.Sprintf("apr_old%05d", i), ref, fmt.Sprintf("Wire of $%d.00 to Harbor Supplies and Chandlery %d", 100+i, i), 100_00+i, state, decided, people[i%3][0], people[i%3][1])
			if err != nil {
				return err
			}
		}
		return nil
	})
}
