// Package guard is the one door: every change that anybody asks for, by screen,
// API, import, host or staff, passes Do. It locks the organization, reads the
// policy, decides, makes the change, writes the history and commits, all in one
// transaction. A refusal is recorded too. Nobody checks a right elsewhere, and
// nothing outside is called in here.
package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
)

// A Loader reads the policy of an organization, as far as a scope asks.
type Loader func(*db.Tx, bank.InstitutionID, bank.OrganizationID, entitlement.Scope) (*entitlement.Policy, error)

// StaffRights says whether a staff user holds a staff permission now.
type StaffRights interface {
	StaffMay(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID, permission string) (bool, error)
}

// Proofs are high-risk authorizations. Consume takes the caller's proof for
// exactly this action, target and content, once, or the word of the program that
// acts for them; without one it returns a fault of kind StepUp.
type Proofs interface {
	Consume(tx *db.Tx, caller bank.Caller, action, target string, content []byte) error
}

// A Guard is the door of one database.
type Guard struct {
	db     *db.DB
	load   Loader
	staff  StaffRights
	proofs Proofs

	watchers []Watcher
}

// New returns the door. staff may be nil where no staff exist, and then no
// staff user may do anything; proofs may be nil, and then nothing that needs
// high-risk authorization can be done.
func New(d *db.DB, load Loader, staff StaffRights, proofs Proofs) *Guard {
	return &Guard{db: d, load: load, staff: staff, proofs: proofs}
}

// An Action is what somebody wants to do, before it is decided. Whoever is not
// named here may not do it.
type Action struct {
	Event        string // the history event that records it, also when refused
	Organization bank.OrganizationID
	Target       activity.Target
	Member       catalog.Operation // what members must be allowed to do; UnknownOperation: members may not
	Self         bool              // people may do it to themselves without any operation or permission
	Staff        string            // the permission that staff must hold; empty: staff may not
	Others       []bank.ActorKind  // who else may: the operator, the host, the product itself; members: the change decides for them itself
	Creates      bool              // the organization is not there yet: the change stores it and starts its history
	Brief        bool              // short, many at a time, and touches nothing that other organizations' changes touch: it may be committed together with others of the organization
	Scope        entitlement.Scope // whose facts the change reads besides the caller's
}

// line is where changes wait that may be committed together.
func (a Action) line(caller bank.Caller) string {
	if !a.Brief {
		return ""
	}
	return string(caller.Institution) + "/" + string(a.Organization)
}

// A Change is a permitted change under way.
type Change struct {
	Tx     *db.Tx
	Policy *entitlement.Policy
	Caller bank.Caller

	guard  *Guard
	action Action
	stream *activity.Stream
	save   string
	events []activity.Event
}

// Do decides the action and makes the change: apply runs inside the
// transaction, with the organization locked. If apply records no event, it has
// changed nothing. A refusal, of the decision or of apply, rolls everything
// back and is then recorded.
func (g *Guard) Do(ctx context.Context, caller bank.Caller, action Action, apply func(*Change) error) error {
	if stranger(caller, action) {
		return notThere(action)
	}
	if caller.SeenBy != "" {
		return g.onlyLooks(ctx, caller, action)
	}
	err := g.db.WriteInLine(ctx, action.line(caller), func(tx *db.Tx) error {
		c, err := g.begin(tx, caller, action)
		if err != nil {
			return err
		}
		return c.once(ctx, func() error {
			if err := c.permit(); err != nil {
				return err
			}
			if err := apply(c); err != nil {
				return err
			}
			return c.commit()
		})
	})
	if refused, ok := refusal(err); ok {
		if e := g.recordRefusal(ctx, caller, action, refused); e != nil {
			return errors.Join(err, e)
		}
	}
	return err
}

// onlyLooks refuses whoever sees as somebody else sees: whatever they try is
// recorded as what it is, the attempt of a staff user.
func (g *Guard) onlyLooks(ctx context.Context, caller bank.Caller, action Action) error {
	refused := fault.New(fault.Forbidden, "You see this as somebody else does. Nothing can be changed here.").With("SEE_AS_ONLY_LOOKS")
	caller.Kind, caller.ID, caller.Name = bank.ActorStaff, string(caller.SeenBy), caller.SeenByName
	return errors.Join(refused, g.recordRefusal(ctx, caller, action, refused))
}

// notThere says that what an action is about does not exist.
func notThere(action Action) error {
	if action.Organization == "" {
		return fault.New(fault.NotFound, "There is no such institution here.")
	}
	return fault.New(fault.NotFound, "There is no such organization here.")
}

// stranger reports whether a member asks about an organization not their own.
func stranger(caller bank.Caller, action Action) bool {
	return caller.Organization != "" && caller.Organization != action.Organization
}

func (g *Guard) begin(tx *db.Tx, caller bank.Caller, action Action) (*Change, error) {
	if action.Creates { // there is nothing to lock or to read yet
		return &Change{Tx: tx, Caller: caller, guard: g, action: action, save: bank.NewID(bank.PrefixSave, tx.Now)}, nil
	}
	stream, err := activity.Lock(tx, caller.Institution, action.Organization)
	if errors.Is(err, activity.ErrNoStream) {
		return nil, notThere(action)
	}
	if err != nil {
		return nil, err
	}
	c, err := g.facts(tx, caller, action)
	if err != nil {
		return nil, err
	}
	c.stream, c.save = stream, bank.NewID(bank.PrefixSave, tx.Now)
	return c, nil
}

// facts reads the policy on which an action is decided. The institution's own
// settings have no organization's policy.
func (g *Guard) facts(tx *db.Tx, caller bank.Caller, action Action) (*Change, error) {
	c := &Change{Tx: tx, Caller: caller, guard: g, action: action}
	if action.Organization == "" {
		return c, nil
	}
	scope := action.Scope
	if caller.Kind == bank.ActorMember {
		scope = scope.And(entitlement.Scope{Members: []bank.UserID{caller.Member()}})
	}
	var err error
	c.Policy, err = g.load(tx, caller.Institution, action.Organization, scope)
	return c, err
}

// permit refuses whoever may not do this. Everybody else's right is looked up
// anew for every change.
func (c *Change) permit() error {
	switch c.Caller.Kind {
	case bank.ActorMember:
		return c.permitMember()
	case bank.ActorStaff:
		return c.permitStaff()
	}
	if slices.Contains(c.action.Others, c.Caller.Kind) {
		return nil
	}
	return forbidden("CHANNEL_NOT_ALLOWED", "This cannot be done by this channel.")
}

func (c *Change) permitMember() error {
	if c.self(activity.TargetMember) {
		return nil
	}
	if slices.Contains(c.action.Others, bank.ActorMember) {
		return nil
	}
	if c.action.Member == catalog.UnknownOperation || c.action.Creates {
		return forbidden("CHANNEL_NOT_ALLOWED", "People of the organization cannot do this. Ask your institution.")
	}
	d := entitlement.Decide(c.Policy, entitlement.Request{Member: c.Caller.Member(), Operation: c.action.Member, Now: c.Tx.Now})
	if d.Allowed {
		return nil
	}
	return forbidden(string(d.Reasons[0].Code), "You may not "+c.action.Member.Info().Label+".")
}

// self reports whether somebody of a kind does what they may do to themselves.
func (c *Change) self(kind activity.TargetKind) bool {
	return c.action.Self && c.action.Target.Kind == kind && c.action.Target.ID == c.Caller.ID
}

func (c *Change) permitStaff() error {
	if c.self(activity.TargetStaff) {
		return nil
	}
	if c.guard.staff == nil || c.action.Staff == "" {
		return forbidden("CHANNEL_NOT_ALLOWED", "The institution's staff cannot do this. An admin of the organization can.")
	}
	may, err := c.guard.staff.StaffMay(c.Tx, c.Caller.Institution, bank.StaffID(c.Caller.ID), c.action.Staff)
	if err != nil {
		return fmt.Errorf("look up the staff user's rights: %w", err)
	}
	if !may {
		return forbidden("STAFF_PERMISSION", "Your groups do not permit this.")
	}
	return nil
}

func forbidden(code, sentence string) error {
	return fault.New(fault.Forbidden, sentence).With(code)
}

// RequireProof takes the caller's high-risk authorization for this action and
// content. Only people are asked for one.
func (c *Change) RequireProof(content []byte) error {
	if c.Caller.Kind != bank.ActorMember && c.Caller.Kind != bank.ActorStaff {
		return nil
	}
	if c.guard.proofs == nil {
		return fault.New(fault.Unavailable, "High-risk authorization is not available, so this cannot be done now.")
	}
	err := c.guard.proofs.Consume(c.Tx, c.Caller, c.action.Event, c.action.Target.ID, content)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.StepUp {
		return f.Because(&StepUp{Action: c.action.Event, Target: c.action.Target.ID, Content: content})
	}
	return err
}

// A StepUp is the cause of a fault of kind StepUp: what the high-risk
// authorization must be for, so that the same request can be made again with it.
type StepUp struct {
	Action, Target string
	Content        []byte
}

func (s *StepUp) Error() string { return "high-risk authorization for " + s.Action + " of " + s.Target }

// Revision is the organization's revision before this change, zero where the
// change creates it.
func (c *Change) Revision() int64 {
	if c.stream == nil {
		return 0
	}
	return c.stream.Revision
}

// Record notes what was done to the action's target, for the history.
func (c *Change) Record(changes ...activity.Change) {
	c.RecordAs(c.action.Event, c.action.Target, "", changes...)
}

// RecordAs notes what was done under another event name or to another target,
// in the same save. There is one event per save and target.
func (c *Change) RecordAs(event string, target activity.Target, note string, changes ...activity.Change) {
	e := attempt(c.Caller, event, target)
	e.Note, e.Changes = note, changes
	c.events = append(c.events, e)
}

// RecordBy notes quietly what ended of somebody else's doing, in their name: the
// product ends it, whether or not they may do anything still.
func (c *Change) RecordBy(actor activity.Actor, channel bank.Channel, event string, target activity.Target, note string) {
	c.RecordQuiet(event, target, note)
	e := &c.events[len(c.events)-1]
	e.Actor, e.Channel = actor, channel
}

// Elsewhere makes a further change in the same transaction, of another
// institution or organization, which is decided and recorded there by itself.
// Where it is refused, all of it is.
func (c *Change) Elsewhere(caller bank.Caller, action Action, apply func(*Change) error) error {
	there, err := c.guard.begin(c.Tx, caller, action)
	if err != nil {
		return err
	}
	if err := there.permit(); err != nil {
		return err
	}
	if err := apply(there); err != nil {
		return err
	}
	return there.commit()
}

// Recorded reports whether the change has recorded anything yet.
func (c *Change) Recorded() bool { return len(c.events) > 0 }

func (c *Change) commit() error {
	if len(c.events) == 0 {
		return nil
	}
	if c.action.Creates {
		stream, err := activity.Lock(c.Tx, c.Caller.Institution, c.action.Organization)
		if err != nil {
			return fmt.Errorf("%s: the new organization has no history: %w", c.action.Event, err)
		}
		c.stream = stream
	}
	if err := c.stream.Append(c.save, c.events...); err != nil {
		return err
	}
	for _, watch := range c.guard.watchers {
		if err := watch(c, c.events); err != nil {
			return err
		}
	}
	return nil
}

// A Watcher sees what a change recorded, inside its transaction, and queues
// what must go out. It changes no rights.
type Watcher func(c *Change, events []activity.Event) error

// Watch adds a watcher. It is for assembling the program, before the first
// change.
func (g *Guard) Watch(w Watcher) { g.watchers = append(g.watchers, w) }

func attempt(caller bank.Caller, event string, target activity.Target) activity.Event {
	return activity.Event{
		Name:    event,
		Actor:   activity.Actor{Kind: caller.Kind, ID: caller.ID, Name: caller.Name},
		Channel: caller.Channel, IP: caller.IP, Device: caller.Device,
		Target: target,
	}
}

// refusal finds the fault for which something was refused. Wrong input and
// failures are not refusals: nobody was denied anything.
func refusal(err error) (*fault.Error, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	return f, ok && f.Kind == fault.Forbidden
}

func (g *Guard) recordRefusal(ctx context.Context, caller bank.Caller, action Action, refused *fault.Error) error {
	organization := action.Organization
	if action.Creates {
		organization = "" // it was not created: the institution's own chain keeps the attempt
	}
	return g.db.Write(ctx, func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		e := attempt(caller, action.Event, action.Target)
		e.Refused, e.Code, e.Note = true, refused.Code, refused.Sentence
		return stream.Append(bank.NewID(bank.PrefixSave, tx.Now), e)
	})
}
