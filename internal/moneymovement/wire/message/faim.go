package message

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moov-io/wire"
)

// writeFAIM writes a customer transfer and lets the library read it again.
func writeFAIM(p *Payment) ([]byte, error) {
	file := wire.NewFile()
	file.AddFEDWireMessage(p.faim())
	var out bytes.Buffer
	if err := wire.NewWriter(&out).Write(file); err != nil {
		return nil, fmt.Errorf("write the FAIM message: %w", err)
	}
	read, err := wire.NewReader(bytes.NewReader(out.Bytes())).Read()
	if err != nil {
		return nil, fmt.Errorf("read the FAIM message again: %w", err)
	}
	if got, want := said(&read.FEDWireMessage), said(&file.FEDWireMessage); got != want {
		return nil, fmt.Errorf("the FAIM message says %q, and %q was meant", got, want)
	}
	return out.Bytes(), nil
}

func (p *Payment) faim() wire.FEDWireMessage {
	m := wire.FEDWireMessage{
		SenderSupplied: wire.NewSenderSupplied(), TypeSubType: wire.NewTypeSubType(), InputMessageAccountabilityData: wire.NewInputMessageAccountabilityData(),
		Amount: wire.NewAmount(), SenderDepositoryInstitution: wire.NewSenderDepositoryInstitution(), ReceiverDepositoryInstitution: wire.NewReceiverDepositoryInstitution(),
		BusinessFunctionCode: wire.NewBusinessFunctionCode(), SenderReference: wire.NewSenderReference(), Beneficiary: wire.NewBeneficiary(), Originator: wire.NewOriginator(),
	}
	m.SenderSupplied.UserRequestCorrelation = fmt.Sprintf("%08d", p.Number)
	m.TypeSubType.TypeCode, m.TypeSubType.SubTypeCode = wire.FundsTransfer, wire.BasicFundsTransfer
	imad := m.InputMessageAccountabilityData
	imad.InputCycleDate, imad.InputSource, imad.InputSequenceNumber = strings.ReplaceAll(string(p.Day), "-", ""), p.Source, fmt.Sprintf("%06d", p.Number)
	m.Amount.Amount = fmt.Sprintf("%012d", int64(p.Cents))
	m.SenderDepositoryInstitution.SenderABANumber, m.SenderDepositoryInstitution.SenderShortName = p.Sender.Routing, Plain(p.Sender.Name, 18)
	to := p.receiver()
	m.ReceiverDepositoryInstitution.ReceiverABANumber, m.ReceiverDepositoryInstitution.ReceiverShortName = to.Routing, Plain(to.Name, 18)
	m.BusinessFunctionCode.BusinessFunctionCode = wire.CustomerTransfer
	m.SenderReference.SenderReference = p.Reference
	m.Beneficiary.Personal, m.Originator.Personal = p.Beneficiary.personal(), p.Originator.personal()
	if p.Via.Routing != "" {
		m.BeneficiaryFI = wire.NewBeneficiaryFI()
		m.BeneficiaryFI.FinancialInstitution = wire.FinancialInstitution{IdentificationCode: wire.FEDRoutingNumber, Identifier: p.Bank.Routing, Name: p.Bank.Name}
	}
	if p.Remarks != "" {
		m.OriginatorToBeneficiary = wire.NewOriginatorToBeneficiary()
		lines := wrap(p.Remarks, 35, 4)
		m.OriginatorToBeneficiary.LineOne, m.OriginatorToBeneficiary.LineTwo = lines[0], lines[1]
		m.OriginatorToBeneficiary.LineThree, m.OriginatorToBeneficiary.LineFour = lines[2], lines[3]
	}
	return m
}

func (p *Party) personal() wire.Personal {
	return wire.Personal{
		IdentificationCode: wire.DemandDepositAccountNumber, Identifier: p.Account, Name: p.Name,
		Address: wire.Address{AddressLineOne: p.Street, AddressLineTwo: p.place()},
	}
}

// place is town, state and post code in one line.
func (p *Party) place() string {
	line := p.Town
	if region := strings.TrimSpace(p.State + " " + p.PostCode); region != "" {
		line += ", " + region
	}
	return strings.Trim(line, ", ")
}

// wrap cuts a text into lines of a width: nothing of it is lost, and no line
// begins or ends with a blank, which the format would not keep. Where a blank
// falls between lines it is left out.
func wrap(text string, width, most int) []string {
	lines := make([]string, 0, most)
	for len(lines) < most {
		if len(text) <= width {
			lines = append(lines, text)
			text = ""
			continue
		}
		cut := strings.LastIndexByte(text[:width+1], ' ')
		if cut <= 0 || len(text)-cut > width*(most-len(lines)-1) { // no word ends, or the rest would not fit
			cut = width
		}
		lines = append(lines, strings.TrimSpace(text[:cut]))
		text = strings.TrimSpace(text[cut:])
	}
	return lines
}

// said is everything that a message says, on one line.
func said(m *wire.FEDWireMessage) string {
	parts := []string{
		m.Amount.Amount, m.SenderDepositoryInstitution.SenderABANumber, m.ReceiverDepositoryInstitution.ReceiverABANumber, m.SenderReference.SenderReference,
		m.BusinessFunctionCode.BusinessFunctionCode, m.InputMessageAccountabilityData.InputCycleDate, m.InputMessageAccountabilityData.InputSource,
		m.InputMessageAccountabilityData.InputSequenceNumber,
	}
	for _, p := range []wire.Personal{m.Beneficiary.Personal, m.Originator.Personal} {
		parts = append(parts, p.IdentificationCode, p.Identifier, p.Name, p.Address.AddressLineOne, p.Address.AddressLineTwo)
	}
	if m.BeneficiaryFI != nil {
		parts = append(parts, m.BeneficiaryFI.FinancialInstitution.Identifier, m.BeneficiaryFI.FinancialInstitution.Name)
	}
	if o := m.OriginatorToBeneficiary; o != nil {
		parts = append(parts, o.LineOne, o.LineTwo, o.LineThree, o.LineFour)
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, "|")
}
