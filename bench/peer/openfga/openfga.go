// Package openfga models the institution for OpenFGA, whose server is part of
// the process and is called without a network, over SQLite. There is one tuple
// for everything that somebody may, with the largest amount as its condition:
// all levels are folded when the tuples are written.
package openfga

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/language/pkg/go/transformer"
	"github.com/openfga/openfga/pkg/server"
	"github.com/openfga/openfga/pkg/storage"
	"github.com/openfga/openfga/pkg/storage/migrate"
	"github.com/openfga/openfga/pkg/storage/sqlcommon"
	"github.com/openfga/openfga/pkg/storage/sqlite"
	"google.golang.org/protobuf/types/known/structpb"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Engine answers by Check.
type Engine struct {
	server       *server.Server
	datastore    storage.OpenFGADatastore
	store, model string
	rules        [catalog.OperationCount]world.Rule
	relations    [catalog.OperationCount]string
	waiting      []*openfgav1.TupleKey
}

const batch = 2_000

func open(w *world.World, dir, name, text string) (*Engine, error) {
	uri := filepath.Join(dir, name+".db")
	if err := migrate.RunMigrations(migrate.MigrationConfig{Engine: "sqlite", URI: uri, Timeout: time.Minute, PingTimeout: time.Minute}); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	datastore, err := sqlite.New(uri, sqlcommon.NewConfig(sqlcommon.WithMaxTuplesPerWrite(batch)))
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	e := &Engine{datastore: datastore}
	for _, r := range world.Rules() {
		e.rules[r.Operation], e.relations[r.Operation] = r, word(r.Operation.ID())
	}
	if e.server, err = server.NewServerWithOpts(server.WithDatastore(datastore)); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	ctx := context.Background()
	made, err := e.server.CreateStore(ctx, &openfgav1.CreateStoreRequest{Name: name})
	if err != nil {
		return nil, fmt.Errorf("create the store: %w", err)
	}
	e.store = made.GetId()
	model, err := transformer.TransformDSLToProto(text)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	written, err := e.server.WriteAuthorizationModel(ctx, &openfgav1.WriteAuthorizationModelRequest{
		StoreId: e.store, SchemaVersion: model.GetSchemaVersion(), TypeDefinitions: model.GetTypeDefinitions(), Conditions: model.GetConditions(),
	})
	if err != nil {
		return nil, fmt.Errorf("write the model: %w", err)
	}
	e.model = written.GetAuthorizationModelId()
	return e, nil
}

// Close stops the server and removes nothing.
func (e *Engine) Close() {
	e.server.Close()
	e.datastore.Close()
}

func word(id string) string { return strings.ReplaceAll(id, ".", "_") }

const condition = `
condition within(amount: int, most: int) {
  amount <= most
}
`

// New loads a world into a database in a folder.
func New(w *world.World, dir string) (*Engine, error) {
	text := &strings.Builder{}
	fmt.Fprint(text, "model\n  schema 1.1\n\ntype user\n\ntype account\n  relations\n")
	for _, r := range world.Rules() {
		fmt.Fprintf(text, "    define %s: [user, user with within]\n", word(r.Operation.ID()))
		if r.ToAccount != 0 {
			fmt.Fprintf(text, "    define %s_to: [user]\n", word(r.Operation.ID()))
		}
	}
	fmt.Fprint(text, condition)
	e, err := open(w, dir, "materialized", text.String())
	if err != nil {
		return nil, err
	}
	for p := range w.Policies {
		for _, m := range p.Members {
			if err := e.materialize(p, m); err != nil {
				return nil, fmt.Errorf("write tuples: %w", err)
			}
		}
	}
	return e, e.flush()
}

func (e *Engine) materialize(p *entitlement.Policy, m *entitlement.Member) error {
	for i := range e.rules {
		r := &e.rules[i]
		if r.Operation == catalog.UnknownOperation || !stands(p, m, r) {
			continue
		}
		if r.Account == 0 {
			if err := e.tuple(string(m.ID), e.relations[i], "account:none", 0, false); err != nil {
				return err
			}
			continue
		}
		for a, s := range m.Accounts {
			if r.Account&^s.On == 0 {
				if err := e.tuple(string(m.ID), e.relations[i], "account:"+string(a), most(p, m, s, r), len(r.Limits) > 0); err != nil {
					return err
				}
			}
			if r.ToAccount != 0 && r.ToAccount&^s.On == 0 {
				if err := e.tuple(string(m.ID), e.relations[i]+"_to", "account:"+string(a), 0, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stands reports whether all levels but the account's allow the operation.
func stands(p *entitlement.Policy, m *entitlement.Member, r *world.Rule) bool {
	if m.Status != bank.StatusActive || m.Held || r.User&^m.Settings.On != 0 || m.Settings.EditLevel < r.Edit {
		return false
	}
	if r.Roles != nil {
		has := false
		for _, role := range r.Roles {
			has = has || role == m.Role
		}
		if !has {
			return false
		}
	}
	return r.Entitlement == catalog.NoEntitlement || p.Institution.Offers.Has(r.Entitlement) && p.Organization.Entitlements.Has(r.Entitlement)
}

// most is the smallest of all limits.
func most(p *entitlement.Policy, m *entitlement.Member, s entitlement.Settings, r *world.Rule) bank.Cents {
	least := bank.MaxAmount
	for _, l := range r.Limits {
		own, _ := m.Settings.Limits.Get(l.Limit)
		least = min(least, own)
		if ceiling, set := p.Organization.Ceilings.Get(l.Limit); set {
			least = min(least, ceiling)
		}
		if own, set := s.Limits.Get(l.Limit); set && l.OnAccount {
			least = min(least, own)
		}
	}
	return least
}

func (e *Engine) tuple(user, relation, object string, most bank.Cents, limited bool) error {
	t := &openfgav1.TupleKey{User: "user:" + user, Relation: relation, Object: object}
	if limited {
		t.Condition = &openfgav1.RelationshipCondition{Name: "within", Context: &structpb.Struct{Fields: map[string]*structpb.Value{"most": structpb.NewNumberValue(float64(most))}}}
	}
	if e.waiting = append(e.waiting, t); len(e.waiting) < batch {
		return nil
	}
	return e.flush()
}

func (e *Engine) flush() error {
	if len(e.waiting) == 0 {
		return nil
	}
	err := e.datastore.Write(context.Background(), e.store, nil, e.waiting)
	e.waiting = nil
	return err
}

// Decide checks; a transfer is two checks, one for each account.
func (e *Engine) Decide(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		answers[i] = e.decide(&q.Asked[i])
	}
}

func (e *Engine) decide(q *entitlement.Request) bool {
	r, relation := &e.rules[q.Operation], e.relations[q.Operation]
	object := "account:none"
	if r.Account != 0 {
		object = "account:" + string(q.Account)
	}
	if r.ToAccount != 0 && (q.ToAccount == q.Account || !e.check(q, relation+"_to", "account:"+string(q.ToAccount))) {
		return false
	}
	return e.check(q, relation, object)
}

func (e *Engine) check(q *entitlement.Request, relation, object string) bool {
	req := &openfgav1.CheckRequest{
		StoreId: e.store, AuthorizationModelId: e.model,
		TupleKey: &openfgav1.CheckRequestTupleKey{User: "user:" + string(q.Member), Relation: relation, Object: object},
	}
	if amount, given := q.Amount.Cents(); given {
		req.Context = &structpb.Struct{Fields: map[string]*structpb.Value{"amount": structpb.NewNumberValue(float64(amount))}}
	}
	got, err := e.server.Check(context.Background(), req)
	if err != nil {
		panic(err) // no question can be one that OpenFGA does not understand
	}
	return got.GetAllowed()
}
