package fineract_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A standIn answers as Apache Fineract does, as far as its published API says
// how. Sources are named by file in the repository apache/fineract; "swagger" is
// the file that ends in ApiResourceSwagger.java beside each resource.
//
// What every request carries, and the answers 401: fineract-provider
// .../infrastructure/security/filter (Basic credentials, Fineract-Platform-TenantId)
// and ApiGlobalErrorResponse.java (developerMessage, httpStatusCode,
// defaultUserMessage, userMessageGlobalisationCode, errors).
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	clients  []sClient
	accounts map[int64]*sAccount
	moved    map[int64]sTransfer // by the number of its details
	commands map[string]sCommand
	number   int64
	today    string
	asked    []string // method, path and query of every request

	fault     func(r *http.Request) string // of the next answer; see answer
	forgetful bool                         // keys mean nothing
	pageOf    int                          // the most that one page brings; zero: what was asked for
	wordless  bool                         // what failed is answered again without a body: FINERACT-2485, point 3
	hold      chan struct{}                // closed when the test ends
}

type sClient struct {
	id     int64
	name   string
	active bool
}

type sAccount struct {
	id, client    int64
	number        string
	currency      string
	closed        bool
	balance, held int64 // cents
	lines         []*sLine
	notes         []string
}

type sLine struct {
	id           int64
	kind         int
	cents, after int64
	day          string
	reason       string
	receipt      string
	transfer     int64
	releasedBy   int64
	reversed     bool
}

type sTransfer struct {
	id, from, to, cents int64
	day, description    string
}

// A sCommand is what is kept under a key: CommandSource.java, and
// SynchronousCommandProcessingService.java for what is answered from it.
type sCommand struct {
	status int
	body   string
}

const (
	user, password, tenant = "mandate", "correct horse", "northwind"
	base                   = "/fineract-provider/api/v1"
)

func newStandIn(t *testing.T) *standIn {
	s := &standIn{accounts: map[int64]*sAccount{}, moved: map[int64]sTransfer{}, commands: map[string]sCommand{}, number: 700, today: "2026-03-02", hold: make(chan struct{})}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (int, string){
		"GET /clients":                                   s.getClients,
		"GET /clients/{id}":                              s.getClient,
		"GET /clients/{id}/accounts":                     s.getClientAccounts,
		"GET /savingsaccounts/{id}":                      s.getAccount,
		"GET /savingsaccounts/{id}/transactions/search":  s.getTransactions,
		"GET /savingsaccounts/{id}/transactions/{line}":  s.getTransaction,
		"GET /savings/{id}/notes":                        s.getNotes,
		"POST /savings/{id}/notes":                       s.once("CREATE SAVINGNOTE", s.postNote),
		"GET /accounttransfers":                          s.getTransfers,
		"POST /accounttransfers":                         s.once("CREATE ACCOUNTTRANSFER", s.postTransfer),
		"POST /savingsaccounts/{id}/transactions":        s.postTransaction,
		"POST /savingsaccounts/{id}/transactions/{line}": s.once("RELEASEAMOUNT SAVINGSACCOUNT", s.postRelease),
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+base+path, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, handle) })
	}
	s.Server = httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // faults end connections
	s.Start()
	t.Cleanup(func() { close(s.hold); s.Close() })
	return s
}

// answer lets a fault come between what is done and what is answered.
func (s *standIn) answer(w http.ResponseWriter, r *http.Request, handle func(*http.Request) (int, string)) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), base))
	fault := ""
	if s.fault != nil {
		fault = s.fault(r)
	}
	status, body := s.allowed(r)
	switch {
	case status != 0:
	case fault == "lost before":
	case fault == "failed for good": // as where a lock was not had: kept under the key, and nothing done
		status, body = failureOf(500, "error.msg.platform.server.side.error", "error.msg.platform.server.side.error")
		s.commands["CREATE ACCOUNTTRANSFER "+r.Header.Get("Idempotency-Key")] = sCommand{status, body}
	case fault == "refused by a rule": // PlatformDomainRuleExceptionMapper.java
		status, body = failureOf(403, "validation.msg.domain.rule.violation", "error.msg.saving.account.debit.transaction.not.allowed")
	default:
		status, body = handle(r)
	}
	s.mu.Unlock()
	switch fault {
	case "lost before", "lost after":
		panic(http.ErrAbortHandler)
	case "silent":
		select {
		case <-s.hold:
		case <-r.Context().Done():
		}
		return
	case "500":
		status, body = failureOf(500, "error.msg.platform.server.side.error", "error.msg.platform.server.side.error")
	case "half":
		body = body[:len(body)/2]
	case "twice":
		body += body
	case "page of a proxy":
		status, body = 404, "<html>not here</html>"
	case "elsewhere":
		w.Header().Set("Location", s.URL+base+"/clients")
		status = 307
	case "endless":
		body = `{"id":"` + strings.Repeat("x", 5<<20) + `"}`
	case "checker": // CommandProcessingResult.java: a command that waits for a checker names only itself
		status, body = 200, `{"commandId":17,"rollbackTransaction":true}`
	}
	if served, plain := strings.CutPrefix(body, "cached:"); plain {
		w.Header().Set("x-served-from-cache", "true") // AbstractIdempotentCommandException.java
		if body = served; s.wordless && status >= 400 {
			body = ""
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func (s *standIn) allowed(r *http.Request) (int, string) {
	name, word, _ := r.BasicAuth()
	switch {
	case r.Header.Get("Fineract-Platform-TenantId") != tenant:
		return failureOf(401, "error.msg.invalid.tenant.identifier", "")
	case name != user || word != password:
		return failureOf(401, "error.msg.not.authenticated", "")
	}
	return 0, ""
}

// failureOf is ApiGlobalErrorResponse.java with one ApiParameterError.java.
func failureOf(status int, code, inner string) (int, string) {
	errors := []map[string]any{}
	if inner != "" {
		errors = append(errors, map[string]any{"developerMessage": "Account 000000011 of Northwind has too little.", "defaultUserMessage": "Too little.",
			"userMessageGlobalisationCode": inner, "parameterName": "id", "args": []any{}})
	}
	return status, text(map[string]any{"developerMessage": "Said by the stand-in about Northwind.", "httpStatusCode": strconv.Itoa(status),
		"defaultUserMessage": "Said by the stand-in.", "userMessageGlobalisationCode": code, "errors": errors})
}

func text(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// decimal writes cents with the six places that Fineract's columns have.
func decimal(cents int64) json.Number {
	return json.Number(new(big.Rat).SetFrac64(cents, 100).FloatString(6))
}

func dateOf(day string) []int {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return []int{t.Year(), int(t.Month()), t.Day()}
}

func (s *standIn) next() int64 { s.number++; return s.number }

func id(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return n
}

// GET clients?offset&limit&orderBy&sortOrder: ClientsApiResource.java,
// GetClientsResponse of the swagger (totalFilteredRecords, pageItems: id,
// accountNo, status, active, displayName, officeId).
func (s *standIn) getClients(r *http.Request) (int, string) {
	q := r.URL.Query()
	if q.Get("orderBy") != "id" || q.Get("sortOrder") != "ASC" {
		return failureOf(400, "validation.msg.validation.errors.exist", "validation.msg.order")
	}
	items := []map[string]any{}
	for _, c := range page(s.clients, r, s.pageOf) {
		items = append(items, c.json())
	}
	return 200, text(map[string]any{"totalFilteredRecords": len(s.clients), "pageItems": items})
}

func page[T any](all []T, r *http.Request, most int) []T {
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if most > 0 {
		limit = min(limit, most)
	}
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))]
}

func (c *sClient) json() map[string]any {
	return map[string]any{"id": c.id, "accountNo": fmt.Sprintf("%09d", c.id), "active": c.active, "displayName": c.name, "officeId": 1, "officeName": "Head Office",
		"status": map[string]any{"id": 300, "code": "clientStatusType.active", "value": "Active"}}
}

// GET clients/{clientId}: GetClientsClientIdResponse of the swagger;
// ClientNotFoundException.java for what is not there.
func (s *standIn) getClient(r *http.Request) (int, string) {
	for _, c := range s.clients {
		if c.id == id(r, "id") {
			return 200, text(c.json())
		}
	}
	return failureOf(404, "error.msg.resource.not.found", "error.msg.client.id.invalid")
}

// GET clients/{clientId}/accounts: GetClientsClientIdAccountsResponse of the
// swagger (savingsAccounts: id, accountNo, productName, status, currency,
// depositType).
func (s *standIn) getClientAccounts(r *http.Request) (int, string) {
	items := []map[string]any{}
	for _, n := range s.sorted() {
		if a := s.accounts[n]; a.client == id(r, "id") {
			items = append(items, map[string]any{"id": a.id, "accountNo": a.number, "productId": 4, "productName": "Business savings", "shortProductName": "BUS",
				"status":   map[string]any{"id": 300, "code": "savingsAccountStatusType.active", "active": !a.closed, "closed": a.closed},
				"currency": map[string]any{"code": a.currency, "decimalPlaces": 2}, "depositType": map[string]any{"id": 100, "code": "depositAccountType.savingsDeposit"}})
		}
	}
	return 200, text(map[string]any{"savingsAccounts": items})
}

func (s *standIn) sorted() []int64 {
	var all []int64
	for n := range s.accounts {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// GET savingsaccounts/{accountId}: SavingsAccountsApiResource.java and
// GetSavingsAccountsAccountIdResponse of the swagger (id, accountNo, clientId,
// currency, summary: accountBalance, availableBalance);
// SavingsAccountNotFoundException.java for what is not there.
func (s *standIn) getAccount(r *http.Request) (int, string) {
	a := s.accounts[id(r, "id")]
	if a == nil {
		return noAccount()
	}
	currency := map[string]any{"code": a.currency, "decimalPlaces": 2, "inMultiplesOf": 0}
	return 200, text(map[string]any{"id": a.id, "accountNo": a.number, "clientId": a.client, "clientName": "Northwind", "savingsProductId": 4, "currency": currency,
		"summary": map[string]any{"currency": currency, "accountBalance": decimal(a.balance), "availableBalance": decimal(a.balance - a.held)}})
}

func noAccount() (int, string) {
	return failureOf(404, "error.msg.resource.not.found", "error.msg.saving.account.id.invalid")
}

// GET savingsaccounts/{savingsId}/transactions/search: its parameters are in
// SavingsAccountTransactionsApiResource.java, its order in
// SavingsAccountTransactionsSearchServiceImpl.java (the latest first), its answer
// in SavingsAccountTransactionsSearchResponse of the swagger (total, content).
func (s *standIn) getTransactions(r *http.Request) (int, string) {
	a := s.accounts[id(r, "id")]
	if a == nil {
		return noAccount()
	}
	q := r.URL.Query()
	var fit []*sLine
	for _, l := range slices.Backward(a.lines) {
		types := strings.Split(q.Get("types"), ",")
		switch {
		case q.Get("types") != "" && !slices.Contains(types, strconv.Itoa(l.kind)):
		case q.Get("fromDate") != "" && (l.day < q.Get("fromDate") || l.day > q.Get("toDate") || q.Get("dateFormat") != "yyyy-MM-dd"):
		case q.Get("fromAmount") != "" && (l.cents != parsed(q.Get("fromAmount")) || q.Get("toAmount") != q.Get("fromAmount")):
		default:
			fit = append(fit, l)
		}
	}
	content := []map[string]any{}
	for _, l := range page(fit, r, s.pageOf) {
		content = append(content, s.line(a, l))
	}
	return 200, text(map[string]any{"total": len(fit), "content": content, "pageable": map[string]any{}})
}

func parsed(amount string) int64 {
	r, ok := new(big.Rat).SetString(amount)
	if !ok {
		return -1
	}
	return new(big.Rat).Mul(r, big.NewRat(100, 1)).Num().Int64()
}

// line is GetSavingsAccountTransactionsPageItem of the swagger; transfer and
// reasonForBlock are in SavingsAccountTransactionData.java, the numbers of types
// in SavingsAccountTransactionType.java.
func (s *standIn) line(a *sAccount, l *sLine) map[string]any {
	entry := map[int]string{1: "CREDIT", 2: "DEBIT", 4: "DEBIT", 20: "DEBIT", 21: "CREDIT"}[l.kind]
	line := map[string]any{"id": l.id, "transactionType": map[string]any{"id": l.kind, "deposit": l.kind == 1, "withdrawal": l.kind == 2, "amountHold": l.kind == 20, "amountRelease": l.kind == 21},
		"entryType": entry, "accountId": a.id, "accountNo": a.number, "date": dateOf(l.day), "currency": map[string]any{"code": a.currency}, "amount": decimal(l.cents),
		"runningBalance": decimal(l.after), "reversed": l.reversed, "submittedOnDate": dateOf(s.today), "interestedPostedAsOn": false, "isReversal": false, "lienTransaction": false}
	if l.releasedBy != 0 {
		line["releaseTransactionId"] = l.releasedBy
	}
	if l.reason != "" {
		line["reasonForBlock"] = l.reason
	}
	if l.receipt != "" {
		line["paymentDetailData"] = map[string]any{"id": 1, "receiptNumber": l.receipt}
	}
	for _, t := range s.moved {
		if t.id == l.transfer {
			line["transfer"] = map[string]any{"id": t.id, "reversed": l.reversed, "transferAmount": decimal(t.cents), "transferDate": dateOf(t.day), "transferDescription": t.description}
		}
	}
	return line
}

// GET savingsaccounts/{savingsId}/transactions/{transactionId}: as one of the
// list; SavingsAccountTransactionNotFoundException.java for what is not there.
func (s *standIn) getTransaction(r *http.Request) (int, string) {
	if a := s.accounts[id(r, "id")]; a != nil {
		for _, l := range a.lines {
			if l.id == id(r, "line") {
				return 200, text(s.line(a, l))
			}
		}
	}
	return failureOf(404, "error.msg.resource.not.found", "error.msg.saving.account.trasaction.id.invalid")
}

// GET accounttransfers?accountDetailId: AccountTransfersApiResource.java,
// AccountTransfersReadPlatformServiceImpl.java for what it filters by, and
// GetAccountTransfersResponse of the swagger.
func (s *standIn) getTransfers(r *http.Request) (int, string) {
	items := []map[string]any{}
	for detail, t := range s.moved {
		if strconv.FormatInt(detail, 10) == r.URL.Query().Get("accountDetailId") {
			items = append(items, map[string]any{"id": t.id, "reversed": false, "currency": map[string]any{"code": "USD"}, "transferAmount": decimal(t.cents),
				"transferDate": dateOf(t.day), "transferDescription": t.description, "fromAccount": map[string]any{"id": t.from}, "toAccount": map[string]any{"id": t.to}})
		}
	}
	return 200, text(map[string]any{"totalFilteredRecords": len(items), "pageItems": items})
}
