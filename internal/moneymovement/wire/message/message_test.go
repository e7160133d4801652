package message_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/moov-io/wire"

	"mandate/internal/bank"
	"mandate/internal/moneymovement/wire/message"
)

func payment() *message.Payment {
	return &message.Payment{
		Reference: "W0000000000001", Identity: "wir_1/1", Source: "MANDATE1", Number: 7, Day: "2026-03-02",
		Created: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC), Cents: 12_345_67,
		Sender: message.Agent{Routing: "231380104", Name: "Cedar Bank"}, Bank: message.Agent{Routing: "121042882", Name: "Harbor Bank"},
		Originator:  message.Party{Name: "Northwind Trading", Account: "5500000137", Street: "18 Harbor Street", Town: "Portland", State: "ME", PostCode: "04101"},
		Beneficiary: message.Party{Name: "Harbor Supplies & Sons", Account: "000123-4", Street: "2 Pier Road", Town: "Salem", State: "MA", PostCode: "01970"},
		Remarks:     "Invoice 4711 <of> the 2nd of February, and the rest of what was delivered to the yard; thank you very much for your patience!",
	}
}

func TestFAIM(t *testing.T) {
	for _, via := range []message.Agent{{}, {Routing: "021000021", Name: "Big Bank"}} {
		p := payment()
		p.Via = via
		text, err := message.Write(p, message.FAIM)
		if err != nil {
			t.Fatal(err)
		}
		read, err := wire.NewReader(bytes.NewReader(text)).Read()
		if err != nil {
			t.Fatal(err)
		}
		m := read.FEDWireMessage
		receiver := "121042882"
		if via.Routing != "" {
			receiver = via.Routing
			if m.BeneficiaryFI == nil || m.BeneficiaryFI.FinancialInstitution.Identifier != "121042882" {
				t.Errorf("beneficiary's bank: %+v", m.BeneficiaryFI)
			}
		}
		if m.Amount.Amount != "000001234567" || m.ReceiverDepositoryInstitution.ReceiverABANumber != receiver || m.Beneficiary.Personal.Identifier != "000123-4" {
			t.Errorf("the message reads %+v %+v %+v", m.Amount, m.ReceiverDepositoryInstitution, m.Beneficiary)
		}
		o := m.OriginatorToBeneficiary
		if got := strings.Join([]string{o.LineOne, o.LineTwo, o.LineThree, o.LineFour}, " "); strings.Join(strings.Fields(got), " ") != p.Remarks {
			t.Errorf("the remarks read %q", got)
		}
	}
}

func TestPacs008(t *testing.T) {
	p := payment()
	p.Via = message.Agent{Routing: "021000021", Name: "Big Bank"}
	text, err := message.Write(p, message.Pacs008)
	if err != nil {
		t.Fatal(err)
	}
	read, err := message.ReadPacs008(text)
	if err != nil {
		t.Fatal(err)
	}
	if read.Message != "20260302MANDATE1000007" || read.Cents != p.Cents || read.Receiver != p.Via || read.Bank != p.Bank || read.Beneficiary != p.Beneficiary || read.Remarks != p.Remarks {
		t.Errorf("it reads %+v", read)
	}
	if !strings.Contains(string(text), `<IntrBkSttlmAmt Ccy="USD">12345.67</IntrBkSttlmAmt>`) || len(read.UETR) != 36 || read.UETR[14] != '4' {
		t.Errorf("it is %s", text)
	}
	for broken, with := range map[string]string{
		"<NbOfTxs>1</NbOfTxs>": "<NbOfTxs>2</NbOfTxs>", `Ccy="USD"`: `Ccy="EUR"`, ">12345.67<": ">-1<", "<MmbId>121042882</MmbId>": "<MmbId>121042881</MmbId>",
		"<IntrBkSttlmDt>2026-03-02": "<IntrBkSttlmDt>2026-02-30", "</Document>": "</Document><x/>", "CTRC": "BTRC", "<Ctry>US": "<Ctry>CA",
	} {
		if !strings.Contains(string(text), broken) {
			t.Fatalf("%s is not in the message", broken)
		}
		if got, err := message.ReadPacs008([]byte(strings.Replace(string(text), broken, with, 1))); err == nil {
			t.Errorf("with %s it reads %+v", with, got)
		}
	}
}

// What cannot be carried is refused before anything is written.
func TestWriteRefuses(t *testing.T) {
	for name, spoil := range map[string]func(p *message.Payment){
		"routing": func(p *message.Payment) { p.Bank.Routing = "121042881" },
		"nothing": func(p *message.Payment) { p.Cents = 0 },
		"much":    func(p *message.Payment) { p.Cents = bank.MaxAmount + 1 },
		"accents": func(p *message.Payment) { p.Beneficiary.Name = "Søren" },
		"control": func(p *message.Payment) { p.Remarks = "a\nb" },
		"tag":     func(p *message.Payment) { p.Remarks = "{2000}000000000001" },
		"number":  func(p *message.Payment) { p.Number = message.MaxNumber + 1 },
		"nobody":  func(p *message.Payment) { p.Beneficiary.Account = "" },
	} {
		for _, format := range []message.Format{message.FAIM, message.Pacs008} {
			p := payment()
			spoil(p)
			if text, err := message.Write(p, format); err == nil {
				t.Errorf("%s as %s was written: %s", name, format, text)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{"Sørensen & Söhne GmbH": "Sorensen & Sohne GmbH", "北 Trading*{1}": "Trading 1", "  a  b ": "a b", "Weiß": "Weiss"} {
		if got := message.Plain(text, 35); got != want || !message.Carries(got) {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever somebody's texts are, a message carries them whole or not at all.
func FuzzWrite(f *testing.F) {
	f.Add("Harbor Supplies", "000123", "Invoice 1", int64(1))
	f.Add("a*b", "{4200}", "~", int64(999_999_999_999))
	f.Fuzz(func(t *testing.T, name, account, remarks string, cents int64) {
		p := payment()
		p.Beneficiary.Name, p.Beneficiary.Account, p.Remarks, p.Cents = name, account, remarks, bank.Cents(cents)
		if len(name) > message.MaxName || len(account) > message.MaxAccount || len(remarks) > message.MaxRemarks {
			return
		}
		for _, format := range []message.Format{message.FAIM, message.Pacs008} {
			carried := name != "" && account != "" && message.Carries(name) && message.Carries(account) && message.Carries(remarks) && cents > 0 && p.Cents <= bank.MaxAmount
			if _, err := message.Write(p, format); (err == nil) != carried {
				t.Errorf("%s of %q %q %q %d: %v", format, name, account, remarks, cents, err)
			}
		}
	})
}

// A stranger's bytes are read or refused, and what is read is a payment.
func FuzzReadPacs008(f *testing.F) {
	text, err := message.Write(payment(), message.Pacs008)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("<Document/>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := message.ReadPacs008(text)
		if err == nil && (c.Cents <= 0 || !bank.IsRouting(c.Bank.Routing) || !bank.IsRouting(c.Receiver.Routing) || c.Day == "") {
			t.Errorf("it reads %+v", c)
		}
	})
}
