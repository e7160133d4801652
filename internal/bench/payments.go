package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"mandate/internal/app"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// payments is the program with an institution of its own, whose organizations
// may send many wires a day, and its API on an address.
type payments struct {
	app     *app.App
	clients int
	each    time.Duration
	places  []place // one for each client
	caller  bank.Caller
	key     string
	run     string // makes references differ from those of an earlier run

	socket net.Listener
	server *http.Server
	http   *http.Client
	ended  chan error
}

// A place is where one client's payments go out.
type place struct {
	organization bank.OrganizationID
	member       bank.UserID
	account      bank.AccountID
}

// plenty is a daily limit that no run reaches.
const plenty = 9_999_999_999_00

func openPayments(ctx context.Context, dir string, o AuthorizeOptions) (_ *payments, err error) {
	cfg := config.Config{Store: config.Store{DB: o.DB, Data: filepath.Join(dir, "data")}, LogLevel: "error"}
	b := &payments{clients: o.Clients, each: o.Each, run: bank.NewID("run", time.Now())}
	if b.app, err = app.Open(ctx, cfg, bank.SystemClock{}, cfg.Logger()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.app.Close())
		}
	}()
	institution := bank.InstitutionID("bench-" + strings.ToLower(b.run[len(b.run)-8:]))
	if err = b.app.DB.Write(ctx, func(tx *db.Tx) error { return b.settle(tx, institution) }); err != nil {
		return nil, err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: institution, Channel: bank.ChannelCommand}
	c, key, err := b.app.Clients.Create(ctx, operator, client.Draft{Name: "Bench"})
	if err != nil {
		return nil, err
	}
	b.caller, b.key = c.Caller("127.0.0.1", "bench"), key.Reveal()
	return b, b.listen()
}

// settle makes the institution.
func (b *payments) settle(tx *db.Tx, institution bank.InstitutionID) error {
	offers := catalog.EntitlementSet(0).With(catalog.Wires)
	err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: institution, Name: "Bench Bank", TimeZone: "America/Chicago", Offers: offers})
	if err != nil {
		return err
	}
	settings := entitlement.Settings{
		On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, plenty).With(catalog.LimitWiresDaily, plenty),
	}
	for range b.clients {
		o := usermgmt.Organization{Institution: institution, ID: bank.OrganizationID(bank.NewID(bank.PrefixOrganization, tx.Now)), Name: "Bench", Entitlements: offers}
		if err := usermgmt.InsertOrganization(tx, &o); err != nil {
			return err
		}
		a := usermgmt.Account{ID: bank.AccountID(bank.NewID(bank.PrefixAccount, tx.Now)), Name: "Operating"}
		if err := usermgmt.InsertAccount(tx, o.Num, &a); err != nil {
			return err
		}
		m := usermgmt.Member{ID: bank.UserID(bank.NewID(bank.PrefixUser, tx.Now)), FirstName: "Bench", Status: bank.StatusActive, Settings: settings}
		if err := usermgmt.InsertMember(tx, institution, o.Num, &m); err != nil {
			return err
		}
		here := entitlement.Settings{On: settings.On.With(catalog.AccountAccess)}
		if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, a.Ordinal, here); err != nil {
			return err
		}
		b.places = append(b.places, place{o.ID, m.ID, a.ID})
	}
	return nil
}

func (b *payments) listen() (err error) {
	if b.socket, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	b.server = web.NewServer(b.app.APIHandler(), b.app.Log)
	b.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.clients, MaxConnsPerHost: b.clients}}
	b.ended = make(chan error, 1)
	go func() { b.ended <- b.server.Serve(b.socket) }()
	return nil
}

// Close ends the server and closes the program.
func (b *payments) Close() error {
	b.http.CloseIdleConnections()
	err := b.server.Close()
	if e := <-b.ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return errors.Join(err, b.app.Close())
}

// ref is a reference that was never used before.
func (b *payments) ref(way string, client, n int) string {
	return fmt.Sprintf("%s %s %d %d", b.run, way, client, n)
}

// asked is the payment that every row authorizes.
func asked(p place) authorization.Asked {
	return authorization.Asked{Member: p.member, Operation: catalog.WiresTransmitOperation.ID(), Account: p.account, Amount: entitlement.ReadAmount("1.00")}
}

func (b *payments) overHTTP(ctx context.Context, client, n int) error {
	return b.post(ctx, b.places[client], b.ref("http", client, n))
}

func (b *payments) overHTTPInOne(ctx context.Context, client, n int) error {
	return b.post(ctx, b.places[0], b.ref("one", client, n))
}

// post authorizes a payment as an outside system does.
func (b *payments) post(ctx context.Context, p place, ref string) error {
	body, err := json.Marshal(map[string]string{
		"ref": ref, "member": string(p.member), "operation": catalog.WiresTransmitOperation.ID(), "account": string(p.account), "amount": "1.00",
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.socket.Addr().String()+"/api/v1/authorizations", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+b.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", strings.ReplaceAll(ref, " ", "-"))
	out, err := b.http.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return err
	}
	var answer struct{ Decision bool }
	if err := json.Unmarshal(text, &answer); err != nil || out.StatusCode != http.StatusOK || !answer.Decision {
		return fmt.Errorf("authorize: status %d, %s", out.StatusCode, text)
	}
	return nil
}
