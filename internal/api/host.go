package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/host"
	"mandate/internal/identity"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

// The institution's host asks for the people of its older channel, Classic. They
// have one set of credentials, which is kept here: a sign-in there is a sign-in
// like any other, counted with those of Online, and of no use anywhere else. A
// program asks this only if it was made as the host (client.Draft.Host).

// Classic is what the host needs of the room of proving who somebody is.
type Classic interface {
	SignIn(context.Context, identity.Attempt) (identity.Granted, error)
	SecondFactor(ctx context.Context, institution bank.InstitutionID, token identity.Secret, answer identity.Answer, from identity.Source) (identity.Granted, error)
	Waiting(ctx context.Context, institution bank.InstitutionID, token identity.Secret, from identity.Source) (identity.Session, []identity.Method, error)
	Session(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Session, error)
	SignOut(context.Context, bank.InstitutionID, identity.Secret) error
	SignOnTicket(ctx context.Context, institution bank.InstitutionID, token identity.Secret, from identity.Source) (identity.Secret, error)
	EnrolInClassic(ctx context.Context, institution bank.InstitutionID, member bank.UserID, username string, password identity.Secret, from identity.Source) error
}

// Hosted is what the host needs of the room that keeps people the same on both
// sides.
type Hosted interface {
	ApplyUser(context.Context, bank.InstitutionID, host.Ref) (bank.UserID, error)
	RefOf(context.Context, bank.InstitutionID, usermgmt.Person) (host.Ref, error)
}

// A Visitor is where a person of Classic comes from.
type Visitor struct {
	IP     string `json:"ip,omitempty" maxLength:"64" doc:"The person's address: sign-ins are throttled by it."`
	Device string `json:"device,omitempty" maxLength:"200" doc:"What the person uses, for the history."`
}

func (v Visitor) source() identity.Source {
	return identity.Source{Channel: bank.ChannelClassic, IP: v.IP, Device: v.Device}
}

// A ClassicSignIn is somebody signed in to Classic, or on the way there.
type ClassicSignIn struct {
	Token string   `json:"token,omitempty" doc:"Of the sign-in, for the person's browser. Absent where it was sent."`
	Stage string   `json:"stage" enum:"complete,second_factor,enrol" doc:"enrol: a second factor must be enrolled first, in Online."`
	Code  bool     `json:"code" doc:"At second_factor: a one-time code can be given here. Otherwise only Online can ask for the factor."`
	User  host.Ref `json:"user,omitempty" doc:"How the host names the person; absent until the sign-in is complete."`
}

type classicOutput struct{ Body ClassicSignIn }

// ClassicPassword is a username and a password.
type ClassicPassword struct {
	Visitor
	Username string `json:"username" maxLength:"200"`
	Password string `json:"password" maxLength:"4096"`
}

// ClassicCode is a one-time code.
type ClassicCode struct {
	Visitor
	Token string `json:"token" maxLength:"200"`
	Code  string `json:"code" maxLength:"20"`
}

// ClassicToken is a sign-in.
type ClassicToken struct {
	Visitor
	Token string `json:"token" maxLength:"200"`
}

// ClassicTicket is a way from Classic into Online.
type ClassicTicket struct {
	Path string `json:"path" doc:"In Online. It works once, for a minute; opening it does not use it up."`
}

// ClassicEnrolment makes somebody's credentials.
type ClassicEnrolment struct {
	Visitor
	User     host.Ref `json:"user" minLength:"1" maxLength:"200" doc:"How the host names the person."`
	Username string   `json:"username" maxLength:"200"`
	Password string   `json:"password" maxLength:"4096"`
}

func (e *Edge) registerClassic(a huma.API) {
	needs := route.Needs{Who: route.HostProgram, May: route.Own, Institution: route.FromKey}
	enrols := needs
	enrols.Event = "orguser.credentials_created"
	add(e, a, http.MethodPost, "/classic/sign-ins", "classic-sign-in", "Sign somebody in to Classic", needs, e.classicSignIn)
	add(e, a, http.MethodPost, "/classic/sign-ins/code", "classic-code", "Complete a sign-in with a one-time code", needs, e.classicCode)
	add(e, a, http.MethodPost, "/classic/sign-ins/look", "classic-look", "See who is signed in to Classic", needs, e.classicLook)
	add(e, a, http.MethodPost, "/classic/sign-ins/end", "classic-end", "Sign somebody out of Classic", needs, e.classicEnd)
	add(e, a, http.MethodPost, "/classic/sign-ins/ticket", "classic-ticket", "Let somebody go on from Classic to Online", needs, e.classicTicket)
	add(e, a, http.MethodPost, "/classic/enrolments", "classic-enrolment", "Make the credentials of somebody who came by the host's link", enrols, e.classicEnrolment)
}

// asHost refuses every program but the host. It is the institution of the key.
func (e *Edge) asHost(ctx context.Context) (bank.InstitutionID, error) {
	c := gate.ClientOf(ctx)
	if !c.Host || e.Hosted == nil {
		return "", fault.New(fault.Forbidden, "This is for the institution's host.").With("NOT_HOST")
	}
	return c.Institution, nil
}

// POST /api/v1/classic/sign-ins
func (e *Edge) classicSignIn(ctx context.Context, in *struct{ Body ClassicPassword }) (*classicOutput, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	from := in.Body.source()
	g, err := e.Classic.SignIn(ctx, identity.Attempt{Institution: institution, Kind: identity.KindMember, Username: in.Body.Username, Password: identity.Secret(in.Body.Password), From: from})
	if err != nil {
		return nil, err
	}
	return e.signedIn(ctx, institution, g, from)
}

// signedIn is a sign-in with its token, told once.
func (e *Edge) signedIn(ctx context.Context, institution bank.InstitutionID, g identity.Granted, from identity.Source) (*classicOutput, error) {
	out := &classicOutput{ClassicSignIn{Token: string(g.Token)}}
	switch g.Session.Stage {
	case identity.StageSecondFactor:
		_, methods, err := e.Classic.Waiting(ctx, institution, g.Token, from)
		if err != nil {
			return nil, err
		}
		out.Body.Stage, out.Body.Code = "second_factor", slices.Contains(methods, identity.MethodTOTP)
		return out, nil
	case identity.StageEnrol:
		out.Body.Stage = "enrol"
		return out, nil
	}
	ref, err := e.refOf(ctx, g.Session)
	out.Body.Stage, out.Body.User = "complete", ref
	return out, err
}

// refOf is how the host names whoever is signed in.
func (e *Edge) refOf(ctx context.Context, s identity.Session) (host.Ref, error) {
	ref, err := e.Hosted.RefOf(ctx, s.Caller.Institution, usermgmt.Person{Organization: s.Caller.Organization, User: bank.UserID(s.Caller.ID)})
	if errors.Is(err, host.ErrNoUser) {
		return "", fault.New(fault.Unavailable, "The host is just learning of you. Try again in a moment.").With("HOST_LEARNS")
	}
	return ref, err
}

// POST /api/v1/classic/sign-ins/code
func (e *Edge) classicCode(ctx context.Context, in *struct{ Body ClassicCode }) (*classicOutput, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	from := in.Body.source()
	g, err := e.Classic.SecondFactor(ctx, institution, identity.Secret(in.Body.Token), identity.Answer{Code: identity.Secret(in.Body.Code)}, from)
	if err != nil {
		return nil, err
	}
	return e.signedIn(ctx, institution, g, from)
}

// POST /api/v1/classic/sign-ins/look
func (e *Edge) classicLook(ctx context.Context, in *struct{ Body ClassicToken }) (*classicOutput, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	s, err := e.Classic.Session(ctx, institution, identity.Secret(in.Body.Token), in.Body.source())
	if err != nil {
		return nil, err
	}
	ref, err := e.refOf(ctx, s)
	return &classicOutput{ClassicSignIn{Stage: "complete", User: ref}}, err
}

// POST /api/v1/classic/sign-ins/end
func (e *Edge) classicEnd(ctx context.Context, in *struct{ Body ClassicToken }) (*struct{}, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	// Only a sign-in of Classic is the host's to end.
	if _, err := e.Classic.Session(ctx, institution, identity.Secret(in.Body.Token), in.Body.source()); err != nil {
		return nil, err
	}
	return nil, e.Classic.SignOut(ctx, institution, identity.Secret(in.Body.Token))
}

type ticketOutput struct{ Body ClassicTicket }

// POST /api/v1/classic/sign-ins/ticket
func (e *Edge) classicTicket(ctx context.Context, in *struct{ Body ClassicToken }) (*ticketOutput, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	ticket, err := e.Classic.SignOnTicket(ctx, institution, identity.Secret(in.Body.Token), in.Body.source())
	return &ticketOutput{ClassicTicket{"/" + string(institution) + "/sign-on/" + string(ticket)}}, err
}

// POST /api/v1/classic/enrolments
func (e *Edge) classicEnrolment(ctx context.Context, in *struct{ Body ClassicEnrolment }) (*struct{}, error) {
	institution, err := e.asHost(ctx)
	if err != nil {
		return nil, err
	}
	member, err := e.Hosted.ApplyUser(ctx, institution, in.Body.User)
	if err != nil {
		return nil, err
	}
	return nil, e.Classic.EnrolInClassic(ctx, institution, member, in.Body.Username, identity.Secret(in.Body.Password), in.Body.source())
}
