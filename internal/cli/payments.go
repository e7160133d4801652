package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usermgmt"
)

// A paymentSettings file says how an institution's payments are sent and who
// originates them. What a file leaves out stays as it is. Organizations and
// accounts go by the bank's own numbers. docs/payments.md shows one.
type paymentSettings struct {
	ACH *struct {
		Routing         string `json:"routing"`
		Name            string `json:"name"`
		Destination     string `json:"destination"`
		DestinationName string `json:"destination_name"`
	} `json:"ach"`
	Wires *struct {
		Routing string `json:"routing"`
		Name    string `json:"name"`
		Source  string `json:"source"`
		Format  string `json:"format"`
	} `json:"wires"`
	StopPayments *struct {
		Fee         string `json:"fee"`
		Disclaimer  string `json:"disclaimer"`
		NeedsAmount bool   `json:"needs_amount"`
		NeedsDate   bool   `json:"needs_date"`
		NeedsPayee  bool   `json:"needs_payee"`
	} `json:"stop_payments"`
	PositivePay *struct {
		Check string `json:"check"`
		ACH   string `json:"ach"`
		Early bool   `json:"early"`
	} `json:"positive_pay"`
	Organizations []struct {
		Organization string `json:"organization"`
		AnyCompany   *bool  `json:"any_company"`
		Companies    []struct {
			Ident    string   `json:"ident"`
			Name     string   `json:"name"`
			Classes  []string `json:"classes"`
			Exposure string   `json:"exposure"`
		} `json:"companies"`
		PositivePay []string `json:"positive_pay"`
	} `json:"organizations"`
}

func readPaymentSettings(name string) (s paymentSettings, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return s, err
	}
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("%s: there is more after the settings", name)
	}
	return s, nil
}

type institutionPayments struct {
	config.Store `embed:""`
	Institution  string `arg:"" help:"The institution's id."`
	File         string `arg:"" help:"JSON file with the settings." type:"existingfile"`
}

// Run sets everything, each under a name that its problems go by, and reports
// all problems at once.
func (c *institutionPayments) Run(t *terminal) (err error) {
	settings, err := readPaymentSettings(c.File)
	if err != nil {
		return err
	}
	a, err := app.Open(t.ctx, config.Config{Store: c.Store}, t.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	set := setting{ctx: t.ctx, app: a, caller: operator(c.Institution)}
	set.institution(settings)
	set.organizations(settings)
	if err := errors.Join(set.failed, set.wrong.Err("Not all of it could be set. What is right in the file is set; correct the rest and run this again.")); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s is set as the file says.\n", c.Institution)
	return nil
}

// A setting is the work of one file.
type setting struct {
	ctx    context.Context
	app    *app.App
	caller bank.Caller
	wrong  fault.Problems
	failed error // what is nobody's mistake in the file
}

// under notes what is wrong with a part of the file.
func (s *setting) under(name string, err error) {
	var refused *fault.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		s.failed = errors.Join(s.failed, fmt.Errorf("%s: %w", name, err))
	case len(refused.Problems) == 0:
		s.wrong.Add(name, refused.Sentence)
	}
	if refused != nil {
		for _, p := range refused.Problems {
			p.Field = name + "." + p.Field
			s.wrong = append(s.wrong, p)
		}
	}
}

// amount reads an amount; nothing written is zero, which may mean that there is no
// limit, so nothing is set where it cannot be read.
func (s *setting) amount(name, text string) (cents bank.Cents, readable bool) {
	if text == "" {
		return 0, true
	}
	cents, err := bank.ParseAmount(text)
	if err != nil {
		s.wrong.Add(name, "Write an amount like 25000.00.")
	}
	return cents, err == nil
}

func (s *setting) institution(set paymentSettings) {
	if h := set.ACH; h != nil {
		s.under("ach", s.app.ACH.SetSender(s.ctx, s.caller, ach.Sender{Routing: h.Routing, Name: h.Name, Destination: h.Destination, DestinationName: h.DestinationName}))
	}
	if w := set.Wires; w != nil {
		s.under("wires", s.app.Wires.SetTerms(s.ctx, s.caller, wire.Terms{Routing: w.Routing, Name: w.Name, Source: w.Source, Format: message.Format(w.Format)}))
	}
	if p := set.StopPayments; p != nil {
		if fee, readable := s.amount("stop_payments.fee", p.Fee); readable {
			s.under("stop_payments", s.app.Stops.SetTerms(s.ctx, s.caller, stoppayment.Terms{
				Fee: fee, Disclaimer: p.Disclaimer, NeedsAmount: p.NeedsAmount, NeedsDate: p.NeedsDate, NeedsPayee: p.NeedsPayee}))
		}
	}
	if p := set.PositivePay; p != nil {
		s.under("positive_pay", s.app.PositivePay.SetSettings(s.ctx, s.caller, positivepay.Settings{Check: positivepay.Verdict(p.Check), ACH: positivepay.Verdict(p.ACH), Early: p.Early}))
	}
}

func (s *setting) organizations(set paymentSettings) {
	for _, o := range set.Organizations {
		name := "organizations." + o.Organization
		var keys usermgmt.Keys
		err := s.app.DB.Read(s.ctx, func(tx *db.Tx) (err error) {
			keys, err = usermgmt.KeysOf(tx, s.caller.Institution, o.Organization)
			return err
		})
		if err != nil {
			s.under(name, err)
			continue
		}
		for _, c := range o.Companies {
			if exposure, readable := s.amount(name+".companies."+c.Ident+".exposure", c.Exposure); readable {
				s.under(name+".companies."+c.Ident, s.app.ACH.SetCompany(s.ctx, s.caller, keys.Organization, ach.Company{Ident: c.Ident, Name: c.Name, Classes: slices.Clone(c.Classes), Exposure: exposure}))
			}
		}
		if o.AnyCompany != nil {
			s.under(name+".any_company", s.app.ACH.SetRelaxed(s.ctx, s.caller, keys.Organization, *o.AnyCompany))
		}
		for _, number := range o.PositivePay {
			account, known := keys.Accounts[number]
			if !known {
				s.under(name+".positive_pay", fault.Newf(fault.NotFound, "The organization has no account %s.", number))
				continue
			}
			s.under(name+".positive_pay."+number, s.app.PositivePay.Enrol(s.ctx, s.caller, keys.Organization, account, true))
		}
	}
}
