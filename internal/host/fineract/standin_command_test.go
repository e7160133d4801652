package fineract_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// once is what SynchronousCommandProcessingService.java does with a key: the same
// action under the same key is answered as before, whatever it asks now. A key
// has room for 50 letters (CommandSource.java).
func (s *standIn) once(action string, do func(*http.Request) (int, string)) func(*http.Request) (int, string) {
	return func(r *http.Request) (int, string) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" || len(key) > 50 {
			return failureOf(500, "error.msg.platform.server.side.error", "")
		}
		done, known := s.commands[action+" "+key]
		switch {
		case known && !s.forgetful && done.status == 0: // under processing: IdempotentCommandExceptionMapper.java
			return http.StatusTooEarly, "cached:"
		case known && !s.forgetful:
			return done.status, "cached:" + done.body
		}
		status, body := do(r)
		s.commands[action+" "+key] = sCommand{status, body}
		return status, body
	}
}

// asked reads a body and refuses members that a command does not have, as
// FromJsonHelper.checkForUnsupportedParameters does.
func asked(r *http.Request, members ...string) (map[string]any, bool) {
	var body map[string]any
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if decoder.Decode(&body) != nil {
		return nil, false
	}
	for member := range body {
		if !slices.Contains(members, member) {
			return nil, false
		}
	}
	return body, body["dateFormat"] == "yyyy-MM-dd" && body["locale"] == "en"
}

func number(body map[string]any, member string) int64 {
	n, _ := body[member].(json.Number)
	i, _ := n.Int64()
	return i
}

func cents(body map[string]any, member string) int64 {
	n, _ := body[member].(json.Number)
	return parsed(string(n))
}

func word(body map[string]any, member string) string {
	w, _ := body[member].(string)
	return w
}

func unsupported() (int, string) {
	return failureOf(400, "validation.msg.validation.errors.exist", "error.msg.parameter.unsupported")
}

// POST accounttransfers: PostAccountTransfersRequest of the swagger,
// AccountTransfersDataValidator.java for what is taken. It answers savingsId and
// resourceId, which is the number of the transfer's details:
// AccountTransfersWritePlatformServiceImpl.create.
func (s *standIn) postTransfer(r *http.Request) (int, string) {
	body, ok := asked(r, "locale", "dateFormat", "fromOfficeId", "fromClientId", "fromAccountType", "fromAccountId",
		"toOfficeId", "toClientId", "toAccountType", "toAccountId", "transferDate", "transferAmount", "transferDescription")
	description := word(body, "transferDescription")
	if !ok || number(body, "fromAccountType") != 2 || number(body, "toAccountType") != 2 || number(body, "fromOfficeId") != 1 || number(body, "toOfficeId") != 1 ||
		description == "" || len(description) > 200 {
		return unsupported()
	}
	from, to, amount, day := s.accounts[number(body, "fromAccountId")], s.accounts[number(body, "toAccountId")], cents(body, "transferAmount"), word(body, "transferDate")
	switch {
	case from == nil || to == nil:
		return noAccount()
	case from.client != number(body, "fromClientId") || to.client != number(body, "toClientId") || amount <= 0:
		return unsupported()
	case day > s.today: // SavingsAccount.withdraw
		return failureOf(403, "validation.msg.domain.rule.violation", "error.msg.savingsaccount.transaction.in.the.future")
	case amount > from.balance-from.held: // InsufficientAccountBalanceException.java
		return failureOf(403, "validation.msg.domain.rule.violation", "error.msg.savingsaccount.transaction.insufficient.account.balance")
	}
	details, transfer := s.next(), s.next()
	s.moved[details] = sTransfer{id: transfer, from: from.id, to: to.id, cents: amount, day: day, description: description}
	s.post(from, &sLine{kind: 2, cents: amount, day: day, transfer: transfer})
	s.post(to, &sLine{kind: 1, cents: amount, day: day, transfer: transfer})
	return 200, text(map[string]any{"savingsId": from.id, "resourceId": details})
}

// post puts a line into an account.
func (s *standIn) post(a *sAccount, l *sLine) *sLine {
	l.id = s.next()
	switch l.kind {
	case 1:
		a.balance += l.cents
	case 2:
		a.balance -= l.cents
	case 20:
		a.held += l.cents
	case 21:
		a.held -= l.cents
	}
	l.after = a.balance
	a.lines = append(a.lines, l)
	return l
}

// POST savingsaccounts/{savingsId}/transactions?command=: deposit, withdrawal and
// holdAmount of SavingsAccountTransactionsApiResource.java. What each takes and
// refuses: SavingsAccountTransactionDataValidator.java. It answers
// PostSavingsAccountTransactionsResponse of the swagger.
func (s *standIn) postTransaction(r *http.Request) (int, string) {
	command := r.URL.Query().Get("command")
	switch command {
	case "deposit", "withdrawal":
		return s.once(strings.ToUpper(command)+" SAVINGSACCOUNT", s.postPayment)(r)
	case "holdAmount":
		return s.once("HOLDAMOUNT SAVINGSACCOUNT", s.postHold)(r)
	}
	return failureOf(400, "error.msg.unrecognized.parameter.value", "")
}

func (s *standIn) postPayment(r *http.Request) (int, string) {
	body, ok := asked(r, "locale", "dateFormat", "transactionDate", "transactionAmount", "paymentTypeId", "transactionAccountNumber", "checkNumber", "routingCode", "receiptNumber", "bankNumber", "note")
	a := s.accounts[id(r, "id")]
	switch {
	case a == nil:
		return noAccount()
	case !ok || number(body, "paymentTypeId") <= 0 || len(word(body, "receiptNumber")) > 50:
		return unsupported()
	}
	l := &sLine{kind: 1, cents: cents(body, "transactionAmount"), day: word(body, "transactionDate"), receipt: word(body, "receiptNumber")}
	if r.URL.Query().Get("command") == "withdrawal" {
		if l.kind = 2; l.cents > a.balance-a.held {
			return failureOf(403, "validation.msg.domain.rule.violation", "error.msg.savingsaccount.transaction.insufficient.account.balance")
		}
	}
	return s.done(a, s.post(a, l))
}

func (s *standIn) done(a *sAccount, l *sLine) (int, string) {
	return 200, text(map[string]any{"officeId": 1, "clientId": a.client, "savingsId": a.id, "resourceId": l.id})
}

func (s *standIn) postHold(r *http.Request) (int, string) {
	body, ok := asked(r, "locale", "dateFormat", "transactionDate", "transactionAmount", "lienAllowed", "reasonForBlock", "externalId")
	a, amount, reason := s.accounts[id(r, "id")], cents(body, "transactionAmount"), word(body, "reasonForBlock")
	switch {
	case a == nil:
		return noAccount()
	case !ok || reason == "" || len(reason) > 100 || amount <= 0:
		return unsupported()
	case amount > a.balance-a.held:
		return failureOf(400, "validation.msg.validation.errors.exist", "validation.msg.savingsaccount.insufficient.balance")
	}
	return s.done(a, s.post(a, &sLine{kind: 20, cents: amount, day: word(body, "transactionDate"), reason: reason}))
}

// POST savingsaccounts/{savingsId}/transactions/{transactionId}?command=releaseAmount:
// validateReleaseAmountAndAssembleForm of the same validator.
func (s *standIn) postRelease(r *http.Request) (int, string) {
	a := s.accounts[id(r, "id")]
	if a == nil || r.URL.Query().Get("command") != "releaseAmount" {
		return noAccount()
	}
	for _, l := range a.lines {
		if l.id != id(r, "line") || l.kind != 20 {
			continue
		}
		if l.releasedBy != 0 {
			return failureOf(400, "validation.msg.validation.errors.exist", "validation.msg.savingsaccount.amount.validation.msg.amount.is.not.on.hold")
		}
		back := s.post(a, &sLine{kind: 21, cents: l.cents, day: s.today})
		l.releasedBy = back.id
		return s.done(a, back)
	}
	return failureOf(400, "validation.msg.validation.errors.exist", "validation.msg.savingsaccount.validation.msg.validation.errors.exist")
}

// GET savings/{savingsId}/notes: NotesApiResource.java and NoteType.java for the
// path, NoteData.java for the members; the latest first.
func (s *standIn) getNotes(r *http.Request) (int, string) {
	a := s.accounts[id(r, "id")]
	if a == nil {
		return noAccount()
	}
	notes := []map[string]any{}
	for i, note := range slices.Backward(a.notes) {
		notes = append(notes, map[string]any{"id": i + 1, "savingAccountId": a.id, "noteType": map[string]any{"id": 500, "code": "noteType.saving"}, "note": note, "createdByUsername": user})
	}
	return 200, text(notes)
}

// POST savings/{savingsId}/notes: PostResourceTypeResourceIdNotesRequest and
// ...Response of the swagger.
func (s *standIn) postNote(r *http.Request) (int, string) {
	a := s.accounts[id(r, "id")]
	var body struct {
		Note string `json:"note"`
	}
	if a == nil || json.NewDecoder(r.Body).Decode(&body) != nil || body.Note == "" || len(body.Note) > 1000 {
		return unsupported()
	}
	a.notes = append(a.notes, body.Note)
	return 200, text(map[string]any{"officeId": 1, "savingsId": a.id, "resourceId": len(a.notes)})
}
