package story

import (
	"fmt"
	"net/http"
	"testing"

	"mandate/internal/web/browsertest"
)

// newPassword is what newcomers choose.
const newPassword = "a long walk by the sea"

// office tells how somebody comes in by the core. The bank's staff signs in to
// BackOffice by the product's own provider, and makes an admin; the admin makes
// credentials by Classic's link, which serve both; goes on to Online without a
// password; and makes somebody else in Classic, whom Online shows.
func (p *program) office(t *testing.T) {
	t.Helper()
	institution := string(p.world.Institutions[0].ID)
	office := p.world.Addresses["backoffice"] + "/" + institution
	page := browsertest.Open(t)
	p.makeAdmin(page, office+"/backoffice")

	link := p.linkTo("kai@larkspur.example.com")
	for range 2 { // looking uses nothing up
		page.Goto(link)
		page.See("Malik Osei invited you, Kai Lindqvist.")
	}
	page.Look("classic-enroll")
	page.Fill("Username", "kai.lindqvist")
	page.Fill("Password", newPassword)
	page.Click("Create credentials")
	page.See("Successfully created account")
	page.Goto(link)
	page.See("This enrollment link has been used.")
	page.Goto(office + "/classic/enroll/never-sent")
	page.See("Your enrollment link has expired. Please contact your financial institution for assistance.")

	page.Goto(office + "/classic")
	page.Fill("Username", "kai.lindqvist")
	page.Fill("Password", newPassword)
	page.Click("Sign in")
	page.See("Welcome, Kai")
	var ticket string
	page.Click("Go to Online")
	page.See("The way in works once")
	page.Eval(`[...document.querySelectorAll("main a")].find((a) => a.textContent.includes("Continue to Online")).href`, &ticket)
	page.Goto(ticket)
	page.Look("sign-on")
	page.Click("Continue")
	page.See("Welcome, Kai")
	page.Goto(ticket)
	page.Click("Continue")
	page.See("This way into Online works once, and for one minute.")

	p.inClassic(page, office+"/classic", p.world.Addresses["online"]+"/"+institution)
}

// makeAdmin makes Kai an admin of Larkspur in BackOffice, and invites them.
func (p *program) makeAdmin(page *browsertest.Page, backOffice string) {
	malik := p.signIn("malik.osei@" + p.world.Institutions[0].ID + ".example.com")
	page.Goto(backOffice)
	page.Click("Sign in as staff")
	page.Fill("Email", malik.Username)
	page.Fill("Password", malik.Password)
	page.Click("Sign in")
	page.See("Business customers as the core has them.")
	page.Look("backoffice-organizations")
	page.Goto(backOffice + "/organizations?q=Larkspur")
	page.Click("Larkspur Landscaping Supply, Inc.")
	page.Look("backoffice-organization")
	page.Click("Create user")
	page.See("What a new user gets")
	page.Look("backoffice-create")
	page.Fill("First name", "Kai")
	page.Fill("Last name", "Lindqvist")
	page.Fill("Email", "kai@larkspur.example.com")
	page.Eval(`(document.querySelector("input[name=role][value=admin]").checked = true, document.querySelector("input[type=checkbox]").checked = true)`, nil)
	page.Click("Create user")
	page.See("Kai Lindqvist was created")
	page.See("Kai has exactly the default permissions.")
	page.Click("Permissions")
	page.See("User permissions")
	page.Look("backoffice-permissions")
	page.Eval(`(document.getElementById("field-wires.per_wire_limit").value = "$2,500.00", document.getElementById("field-user_management.enabled").checked = true)`, nil)
	page.Click("Save changes")
	page.Click("Accounts")
	page.See("On this account")
	page.Look("backoffice-accounts")
	page.Click("Profile")
	page.See("Wires: Per wire limit")
	page.Click("Invite Kai Lindqvist")
	page.See("Invitation sent successfully")
	page.Look("backoffice-user")
	page.Goto(backOffice + "/defaults")
	page.See("What a new user of each role gets.")
	page.Look("backoffice-defaults")
}

// inClassic makes Noa in Classic, once the core has learned that Kai has signed
// in, and finds them in Online.
func (p *program) inClassic(page *browsertest.Page, classic, online string) {
	p.t.Helper()
	p.settle()
	page.Goto(classic + "/users")
	page.See("Kai Lindqvist")
	page.Look("classic-users")
	page.Click("Create user")
	page.Fill("First name", "Noa")
	page.Fill("Last name", "Birch")
	page.Fill("Email", "noa@larkspur.example.com")
	page.Click("Create user")
	page.See("Noa Birch was created")
	page.Look("classic-user")
	p.settle()
	page.Goto(online + "/settings/users?q=Noa")
	page.See("Noa Birch")
	page.Click("Noa Birch")
	page.Click("All history")
	page.See("Kai Lindqvist")
}

// settle carries what waits for the host to it, and takes in what it tells.
func (p *program) settle() {
	p.t.Helper()
	for range 2 {
		if _, err := p.app.Desk.Deliver(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		if err := p.app.HostSync.Run(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
	}
}

// linkTo is the link in the newest message to somebody.
func (p *program) linkTo(address string) string {
	p.t.Helper()
	messages := p.app.Mailbox.Messages(address)
	if len(messages) == 0 || len(messages[0].Links) == 0 {
		p.t.Fatalf("%s has got no link", address)
	}
	link := messages[0].Links[0]
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodHead, link, nil)
	if err == nil {
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(r); err == nil { // a scanner of mail looks before anybody
			err = answer.Body.Close()
		}
	}
	if err != nil {
		p.t.Fatal(fmt.Errorf("look at the link: %w", err))
	}
	return link
}
