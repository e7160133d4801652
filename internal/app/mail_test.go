package app

import (
	"io"
	"net"
	"testing"

	"github.com/emersion/go-smtp"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// A closedDoor is a mail server that has nobody of that address.
type closedDoor struct{}

func (closedDoor) NewSession(*smtp.Conn) (smtp.Session, error) { return closedDoor{}, nil }
func (closedDoor) Mail(string, *smtp.MailOptions) error        { return nil }
func (closedDoor) Data(io.Reader) error                        { return nil }
func (closedDoor) Reset()                                      {}
func (closedDoor) Logout() error                               { return nil }

func (closedDoor) Rcpt(string, *smtp.RcptOptions) error {
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
}

// An address that the mail server does not know is told to the admin who sent
// the invitation.
func TestRefusedInvitationIsToldToTheAdmin(t *testing.T) {
	a := openApp(t)
	server := smtp.NewServer(closedDoor{})
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(socket) }() // ends when the server is closed
	t.Cleanup(func() { server.Close() })
	a.post.Server = "smtp://" + socket.Addr().String()

	pia := usermgmt.Person{Organization: "acme", User: "pia"}
	err = a.DB.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "first", Name: "First", TimeZone: "UTC"}); err != nil {
			return err
		}
		o := usermgmt.Organization{Institution: "first", ID: pia.Organization, Name: "Acme"}
		if err := usermgmt.InsertOrganization(tx, &o); err != nil {
			return err
		}
		account := usermgmt.Account{ID: "operating", Name: "Operating"}
		if err := usermgmt.InsertAccount(tx, o.Num, &account); err != nil {
			return err
		}
		m := usermgmt.Member{ID: pia.User, FirstName: "Pia", LastName: "Ende", Email: "pia@acme.example"}
		if err := usermgmt.InsertMember(tx, "first", o.Num, &m); err != nil {
			return err
		}
		return usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, account.Ordinal, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)})
	})
	if err != nil {
		t.Fatal(err)
	}
	host := bank.Caller{Kind: bank.ActorHost, Name: "Host", Institution: "first", Channel: bank.ChannelBackOffice}
	if err := a.Users.Invite(t.Context(), host, pia); err != nil {
		t.Fatal(err)
	}
	if err := a.DeliverMail(t.Context()); err != nil {
		t.Fatal(err)
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: "first", Channel: bank.ChannelCommand}
	all, err := a.Users.Invitations(t.Context(), operator, pia)
	if err != nil || len(all) != 1 || all[0].State != identity.LinkRefused {
		t.Errorf("the invitations are %+v (%v)", all, err)
	}
}
