package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/idempotency"
)

// How a program acts for a person. What the screens can do, a program can do
// with its key, for the organization user that Mandate-Member names. The engine
// judges that person, exactly as on a screen; history names the person, and the
// program as the device. Where a screen would ask for a high-risk authorization
// the program vouches for the person, in Mandate-Proof: without it, the request
// is refused with HIGH_RISK_AUTHORIZATION, and where that person has a second
// factor, a password alone with SECOND_FACTOR_NEEDED. Whoever has the key of such a program
// can initiate and approve in anybody's name, so a program acts for people only
// where it was made for that (client.Draft.Acts).
//
// An operation of a room needs three lines here:
//
//	type somethingInput struct { Changing; ID string `path:"something"`; Body SomethingRequest }
//	ctx, caller, err := e.change(ctx, in.Changing, catalog.SomethingOperation, "something", in.ID, in.Body)
//	if err != nil { return nil, err }
//	err = e.Somethings.Do(ctx, caller, ...)
//
// and answers with the object as it stands (Get), which a repetition under the
// same Idempotency-Key is answered with too.

// Acting are the headers of a request that looks at something for a person.
type Acting struct {
	Member string `header:"Mandate-Member" required:"true" minLength:"1" maxLength:"200" doc:"The organization user for whom the program acts."`
}

// Changing are the headers of a request that changes something for a person.
type Changing struct {
	Acting
	Key   string `header:"Idempotency-Key" required:"true" maxLength:"255" doc:"The caller's name for this call. Repeated under it, the call changes nothing, and is answered with the object as it stands."`
	Proof string `header:"Mandate-Proof" enum:"password,totp,passkey,biometrics,in_person" doc:"How the program made sure, for this very request, that it is the person. What is a high-risk authorization on a screen is refused without it. Of somebody who has a second factor, password is not enough."`
}

// look finds the person for whom a program looks at something.
func (e *Edge) look(ctx context.Context, in Acting, operation catalog.Operation) (bank.Caller, error) {
	if err := may(ctx, operation); err != nil {
		return bank.Caller{}, err
	}
	return e.person(ctx, in, "")
}

// person is the member as the one who acts, through the program.
func (e *Edge) person(ctx context.Context, in Acting, proof string) (bank.Caller, error) {
	if !gate.ClientOf(ctx).Acts {
		return bank.Caller{}, fault.New(fault.Forbidden, "This caller may ask questions, and not act for people.").With("ACTS_FOR_NOBODY")
	}
	program := gate.CallerOf(ctx)
	unknown := fault.New(fault.NotFound, "There is no such organization user.").With("UNKNOWN_MEMBER")
	organization, found, err := e.Decisions.OrganizationOf(ctx, program.Institution, bank.UserID(in.Member))
	if err != nil {
		return bank.Caller{}, err
	}
	if !found {
		return bank.Caller{}, unknown
	}
	who := bank.Caller{
		Kind: bank.ActorMember, ID: in.Member, Institution: program.Institution, Organization: organization,
		Channel: bank.ChannelAPI, IP: program.IP, Device: deviceOf(program, proof), Through: bank.ClientID(program.ID), Vouched: proof,
	}
	standing, err := e.Users.Standing(ctx, who)
	if fault.KindOf(err) == fault.NotFound {
		return bank.Caller{}, unknown
	}
	who.Name = standing.Member.Name()
	return who, err
}

// maxDevice is how much of a device history keeps.
const maxDevice = 200

// deviceOf names the program, for the history: it is what the person used.
func deviceOf(program bank.Caller, proof string) string {
	device := fmt.Sprintf("%s (%s)", program.Name, program.ID)
	if proof != "" {
		device += ", vouched by " + proof
	}
	return device[:min(len(device), maxDevice)]
}

// change finds the person for whom a program changes something, and makes the
// request repeatable under its key. The content is all that it asks.
func (e *Edge) change(ctx context.Context, in Changing, operation catalog.Operation, content ...any) (context.Context, bank.Caller, error) {
	caller, err := e.look(ctx, in.Acting, operation)
	if err != nil {
		return ctx, caller, err
	}
	return e.repeatable(ctx, caller, in, content...)
}

func (e *Edge) repeatable(ctx context.Context, caller bank.Caller, in Changing, content ...any) (context.Context, bank.Caller, error) {
	if err := idempotency.CheckText(in.Key); err != nil {
		return ctx, caller, err
	}
	if in.Proof != "" {
		caller.Vouched, caller.Device = in.Proof, deviceOf(gate.CallerOf(ctx), in.Proof)
	}
	whole, err := json.Marshal(append([]any{in.Member}, content...))
	if err != nil {
		return ctx, caller, fmt.Errorf("write what is asked: %w", err)
	}
	key := idempotency.Key{Institution: caller.Institution, Client: caller.Through, Text: in.Key}
	return guard.Repeatable(ctx, guard.Once{Key: key, Content: whole}), caller, nil
}

// idOf is the name of what a request makes: the same for the same key of the
// same program, so that a repetition finds it again.
func idOf(prefix string, caller bank.Caller, key string) string {
	sum := sha256.Sum256([]byte(string(caller.Institution) + "\n" + string(caller.Through) + "\n" + key))
	text := hex.EncodeToString(sum[:16])
	return prefix + "_" + text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// cents reads an amount of a request; what is no amount is a problem of its
// field.
func cents(problems *fault.Problems, field, text string) bank.Cents {
	c, err := bank.ParseAmount(text)
	if err != nil {
		problems.Add("body."+field, "Write an amount as 25000 or 25000.00.")
	}
	return c
}

// A Person is somebody as they were called then.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}
