package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

type providerCommand struct {
	Set    providerSet    `cmd:"" help:"Connect an institution's own OpenID provider, or change it."`
	Show   providerShow   `cmd:"" help:"Show an institution's own provider, without its secret."`
	Remove providerRemove `cmd:"" help:"Let nobody sign in through it any more."`
}

// providerStore is what every command about providers needs.
type providerStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

// with opens the staff room for an operator, with the keys that seal secrets.
func (c providerStore) with(t *terminal, open opener, do func(*staff.Service, bank.Caller) error) (err error) {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	keys, err := app.OpenKeys(store.Data)
	if err != nil {
		return err
	}
	d, err := open(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	who, err := identity.New(identity.Config{DB: d, Guard: door, People: app.People(), Mailer: nobodyIsInvited{}, Keys: keys, Clock: t.clock})
	if err != nil {
		return err
	}
	return do(staff.New(door, who, app.House), operator(c.Institution))
}

type providerSet struct {
	providerStore `embed:""`
	Issuer        string `required:"" help:"The issuer, exactly as the provider writes it." placeholder:"URL"`
	ClientID      string `name:"client-id" required:"" help:"What the provider calls Mandate."`
	SecretFile    string `help:"A file with the client secret and nothing else; without one the secret stays as it is." placeholder:"FILE"`
	Label         string `required:"" help:"What the provider is called: the button says Continue with it."`
	SubjectClaim  string `help:"The claim that names a person for ever." default:"sub"`
	EmailClaim    string `help:"The claim with their address, which links them once." default:"email"`
	Vouches       bool   `help:"The provider vouches for every address without saying that it has checked it."`
	Factors       string `help:"The words of amr or acr that count as a second factor, with blanks between."`
}

func (c *providerSet) Run(t *terminal) error {
	var text []byte
	if c.SecretFile != "" {
		var err error
		if text, err = os.ReadFile(c.SecretFile); err != nil {
			return fmt.Errorf("read the secret: %w", err)
		}
		if strings.TrimSpace(string(text)) == "" {
			return fault.Newf(fault.Invalid, "There is no secret in %s.", c.SecretFile)
		}
	}
	will := identity.Provider{Issuer: c.Issuer, ClientID: c.ClientID, Label: c.Label, SubjectClaim: c.SubjectClaim, EmailClaim: c.EmailClaim, Vouches: c.Vouches, Factors: c.Factors}
	return c.with(t, openStore, func(s *staff.Service, caller bank.Caller) error {
		was, err := s.Provider(t.ctx, caller)
		if err != nil {
			return err
		}
		if err := s.SetProvider(t.ctx, caller, was.Version, will, identity.Secret(strings.TrimSpace(string(text)))); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "redirect address: CONSOLE/%s/sign-in/outside/back\n", c.Institution)
		return nil
	})
}

type providerShow struct {
	providerStore `embed:""`
}

func (c *providerShow) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(s *staff.Service, caller bank.Caller) error {
		p, err := s.Provider(t.ctx, caller)
		if err != nil {
			return err
		}
		if p.Version == 0 {
			return fault.New(fault.NotFound, "There is no outside provider.")
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		for _, row := range [][2]string{{"name", p.Label}, {"issuer", p.Issuer}, {"client id", p.ClientID}, {"subject claim", p.SubjectClaim}, {"email claim", p.EmailClaim},
			{"vouches", fmt.Sprint(p.Vouches)}, {"second factor", p.Factors}} {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
		return table.Flush()
	})
}

type providerRemove struct {
	providerStore `embed:""`
}

func (c *providerRemove) Run(t *terminal) error {
	return c.with(t, openStore, func(s *staff.Service, caller bank.Caller) error { return s.RemoveProvider(t.ctx, caller) })
}
