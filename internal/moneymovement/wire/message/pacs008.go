package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mandate/internal/bank"
)

// MaxBytes is the most bytes of a pacs.008 that is read.
const MaxBytes = 64 << 10

// A document is the part of pacs.008.001.08 that we write, in the schema's
// order. One message carries one payment, as Fedwire wants it.
type document struct {
	XMLName xml.Name  `xml:"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08 Document"`
	Group   groupInfo `xml:"FIToFICstmrCdtTrf>GrpHdr"`
	Payment transfer  `xml:"FIToFICstmrCdtTrf>CdtTrfTxInf"`
}

type groupInfo struct {
	ID      string `xml:"MsgId"`
	Created string `xml:"CreDtTm"`
	Count   string `xml:"NbOfTxs"`
	Method  string `xml:"SttlmInf>SttlmMtd"`
	System  string `xml:"SttlmInf>ClrSys>Cd"`
}

type transfer struct {
	Instruction string  `xml:"PmtId>InstrId"`
	EndToEnd    string  `xml:"PmtId>EndToEndId"`
	UETR        string  `xml:"PmtId>UETR"`
	Instrument  string  `xml:"PmtTpInf>LclInstrm>Prtry"`
	Amount      amount  `xml:"IntrBkSttlmAmt"`
	Day         string  `xml:"IntrBkSttlmDt"`
	Charges     string  `xml:"ChrgBr"`
	From        agent   `xml:"InstgAgt"`
	To          agent   `xml:"InstdAgt"`
	Via         *agent  `xml:"IntrmyAgt1"`
	Debtor      party   `xml:"Dbtr"`
	DebtorAt    string  `xml:"DbtrAcct>Id>Othr>Id"`
	DebtorBank  agent   `xml:"DbtrAgt"`
	Bank        agent   `xml:"CdtrAgt"`
	Creditor    party   `xml:"Cdtr"`
	CreditorAt  string  `xml:"CdtrAcct>Id>Othr>Id"`
	Remarks     *string `xml:"RmtInf>Ustrd"`
}

type amount struct {
	Currency string `xml:"Ccy,attr"`
	Value    string `xml:",chardata"`
}

type agent struct {
	System string `xml:"FinInstnId>ClrSysMmbId>ClrSysId>Cd"`
	Number string `xml:"FinInstnId>ClrSysMmbId>MmbId"`
	Name   string `xml:"FinInstnId>Nm,omitempty"`
}

type party struct {
	Name    string   `xml:"Nm"`
	Address *address `xml:"PstlAdr"`
}

type address struct {
	Street   string `xml:"StrtNm,omitempty"`
	PostCode string `xml:"PstCd,omitempty"`
	Town     string `xml:"TwnNm,omitempty"`
	State    string `xml:"CtrySubDvsn,omitempty"`
	Country  string `xml:"Ctry"`
}

// What every one of our messages says the same.
const (
	country    = "US"
	currency   = "USD"
	abaSystem  = "USABA"
	fedwire    = "FDW"
	clearing   = "CLRG"
	instrument = "CTRC" // a customer credit transfer
	shared     = "SHAR"
	isoMoment  = "2006-01-02T15:04:05-07:00"
)

// writePacs008 writes a payment and reads it again.
func writePacs008(p *Payment) ([]byte, error) {
	text, err := xml.MarshalIndent(p.document(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the pacs.008: %w", err)
	}
	text = append([]byte(xml.Header), append(text, '\n')...)
	read, err := ReadPacs008(text)
	if err != nil {
		return nil, fmt.Errorf("read the pacs.008 again: %w", err)
	}
	if want := p.carried(); read != want {
		return nil, fmt.Errorf("the pacs.008 says %+v, and %+v was meant", read, want)
	}
	return text, nil
}

func (p *Payment) document() document {
	d := document{
		Group: groupInfo{ID: p.imad(), Created: p.Created.UTC().Format(isoMoment), Count: "1", Method: clearing, System: fedwire},
		Payment: transfer{
			Instruction: p.Reference, EndToEnd: p.Reference, UETR: uetr(p.Identity), Instrument: instrument, Amount: amount{currency, p.Cents.String()},
			Day: string(p.Day), Charges: shared, From: p.Sender.iso(), To: p.receiver().iso(), Debtor: p.Originator.iso(), DebtorAt: p.Originator.Account,
			DebtorBank: p.Sender.iso(), Bank: p.Bank.iso(), Creditor: p.Beneficiary.iso(), CreditorAt: p.Beneficiary.Account,
		},
	}
	if p.Via.Routing != "" {
		via := p.Via.iso()
		d.Payment.Via = &via
	}
	if p.Remarks != "" {
		d.Payment.Remarks = &p.Remarks
	}
	return d
}

func (a Agent) iso() agent { return agent{abaSystem, a.Routing, a.Name} }

func (p *Party) iso() party {
	return party{p.Name, &address{p.Street, p.PostCode, p.Town, p.State, country}}
}

// uetr is the unique end-to-end transaction reference: a UUID of version 4 that
// is always the same for the same payment.
func uetr(identity string) string {
	b := sha256.Sum256([]byte("uetr " + identity))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Carried is what somebody who reads a message learns of its payment.
type Carried struct {
	Message     string // its number in the network
	Reference   string
	UETR        string
	Created     time.Time
	Day         bank.Day
	Cents       bank.Cents
	Sender      Agent
	Receiver    Agent
	Via         Agent
	Bank        Agent
	Originator  Party
	Beneficiary Party
	Remarks     string
}

func (p *Payment) carried() Carried {
	return Carried{
		Message: p.imad(), Reference: p.Reference, UETR: uetr(p.Identity), Created: p.Created.UTC().Truncate(time.Second), Day: p.Day, Cents: p.Cents,
		Sender: p.Sender, Receiver: p.receiver(), Via: p.Via, Bank: p.Bank, Originator: p.Originator, Beneficiary: p.Beneficiary, Remarks: p.Remarks,
	}
}

// ReadPacs008 reads a message of the kind that we write; any other is refused,
// with what is wrong with it.
func ReadPacs008(text []byte) (Carried, error) {
	if len(text) > MaxBytes {
		return Carried{}, fmt.Errorf("a message has at most %d bytes", MaxBytes)
	}
	var d document
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimSpace(text)))
	if err := decoder.Decode(&d); err != nil {
		return Carried{}, fmt.Errorf("this is no pacs.008: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Carried{}, errors.New("something follows the message")
	}
	if err := d.check(); err != nil {
		return Carried{}, err
	}
	return d.read()
}

// check refuses what is written otherwise than we write it.
func (d *document) check() error {
	t := &d.Payment
	agents := []*agent{&t.From, &t.To, &t.DebtorBank, &t.Bank}
	if t.Via != nil {
		agents = append(agents, t.Via)
	}
	for _, a := range agents {
		if a.System != abaSystem || !bank.IsRouting(a.Number) {
			return fmt.Errorf("%q is no routing number", a.Number)
		}
	}
	receiver := &t.Bank
	if t.Via != nil {
		receiver = t.Via
	}
	switch {
	case d.Group.Count != "1":
		return errors.New("the message must carry one payment")
	case d.Group.Method != clearing || d.Group.System != fedwire:
		return errors.New("the payment must be settled by Fedwire")
	case t.Instrument != instrument || t.Charges != shared:
		return errors.New("the payment must be a customer credit transfer with shared charges")
	case t.Amount.Currency != currency:
		return fmt.Errorf("the currency must be %s", currency)
	case t.Instruction != t.EndToEnd:
		return errors.New("the two references must be the same")
	case t.To != *receiver:
		return errors.New("the receiver must be the next bank on the way")
	case t.From != t.DebtorBank:
		return errors.New("the sender must be the originator's bank")
	}
	for _, p := range []*party{&t.Debtor, &t.Creditor} {
		if p.Address == nil || p.Address.Country != country {
			return fmt.Errorf("the address of %q must be in %s", p.Name, country)
		}
	}
	return nil
}

// read takes the values; check has passed.
func (d *document) read() (c Carried, err error) {
	t := &d.Payment
	if c.Cents, err = bank.ParseAmount(strings.TrimSpace(t.Amount.Value)); err != nil || c.Cents <= 0 {
		return Carried{}, fmt.Errorf("%q is no amount", t.Amount.Value)
	}
	if c.Day, err = bank.ParseDay(t.Day); err != nil {
		return Carried{}, err
	}
	if c.Created, err = time.Parse(isoMoment, d.Group.Created); err != nil {
		return Carried{}, fmt.Errorf("%q is no moment", d.Group.Created)
	}
	c.Message, c.Reference, c.UETR, c.Created = d.Group.ID, t.EndToEnd, t.UETR, c.Created.UTC()
	c.Sender, c.Receiver, c.Bank = t.From.plain(), t.To.plain(), t.Bank.plain()
	if t.Via != nil {
		c.Via = t.Via.plain()
	}
	c.Originator, c.Beneficiary = t.Debtor.plain(t.DebtorAt), t.Creditor.plain(t.CreditorAt)
	if t.Remarks != nil {
		c.Remarks = *t.Remarks
	}
	return c, nil
}

func (a *agent) plain() Agent { return Agent{a.Number, a.Name} }

func (p *party) plain(account string) Party {
	return Party{Name: p.Name, Account: account, Street: p.Address.Street, Town: p.Address.Town, State: p.Address.State, PostCode: p.Address.PostCode}
}
