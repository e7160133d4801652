package api

import (
	"context"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/gate"
	"mandate/internal/usermgmt"
)

type membersInput struct {
	Organization string `path:"organization" maxLength:"200"`
	Search       string `query:"search" maxLength:"80" doc:"Any part of a name, username or email."`
	Role         string `query:"role" enum:"user,viewer,admin" doc:"Only this role."`
	Status       string `query:"status" enum:"pending,active,locked,disabled" doc:"Only this status."`
	Held         bool   `query:"held" doc:"Only those on hold."`
	Sort         string `query:"sort" enum:"name,role,status,username" default:"name"`
	Reverse      bool   `query:"reverse"`
	Page         int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size         int    `query:"size" minimum:"1" maximum:"200" default:"50"`
}

// MemberList is one page of an organization's users.
type MemberList struct {
	Members  []Member `json:"members"`
	Matching int      `json:"matching" doc:"How many fit what was asked."`
	Total    int      `json:"total" doc:"How many the organization has."`
	Page     int      `json:"page" doc:"The page that this is: one beyond the end becomes the last."`
	Pages    int      `json:"pages"`
}

// Member is an organization user.
type Member struct {
	ID        string `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email,omitempty"`
	Username  string `json:"username,omitempty"`
	Role      string `json:"role"`
	Status    string `json:"status"`
	Held      bool   `json:"held" doc:"Their account access is on hold. It is never shown to themself."`
	Accounts  int    `json:"accounts" doc:"How many accounts they have access to."`
}

type membersOutput struct{ Body MemberList }

// GET /api/v1/organizations/{organization}/members
func (e *Edge) members(ctx context.Context, in *membersInput) (*membersOutput, error) {
	if err := may(ctx, catalog.ViewUsers); err != nil {
		return nil, err
	}
	query := usermgmt.MemberQuery{
		Search: in.Search, Held: in.Held, Sort: usermgmt.MemberSort(in.Sort), Reverse: in.Reverse, Page: in.Page, Size: in.Size,
	}
	if role, err := bank.ParseRole(in.Role); err == nil {
		query.Role = &role
	}
	if status, err := bank.ParseStatus(in.Status); err == nil {
		query.Status = &status
	}
	page, err := e.Users.List(ctx, gate.CallerOf(ctx), bank.OrganizationID(in.Organization), query)
	if err != nil {
		return nil, err
	}
	list := MemberList{Members: []Member{}, Matching: page.Matching, Total: page.Total, Page: page.Page, Pages: page.Pages}
	for _, m := range page.Members {
		list.Members = append(list.Members, Member{
			string(m.ID), m.FirstName, m.LastName, m.Email, m.Username, m.Role.String(), m.Status.String(), m.Held, m.Accounts,
		})
	}
	return &membersOutput{list}, nil
}

type historyInput struct {
	Organization string    `path:"organization" maxLength:"200"`
	Member       string    `query:"member" maxLength:"200" doc:"Only what was done to this user."`
	Actor        string    `query:"actor" maxLength:"200" doc:"Only what this person or program did."`
	Names        []string  `query:"name" maxItems:"20" doc:"Only these events."`
	From         time.Time `query:"from" doc:"Not before this time."`
	Until        time.Time `query:"until" doc:"Before this time."`
	Refused      bool      `query:"refused" doc:"Attempts that changed nothing, too."`
	Before       int64     `query:"before" minimum:"0" doc:"Page on: events before this sequence number."`
	After        int64     `query:"after" minimum:"0" doc:"Only events after this sequence number."`
	Size         int       `query:"size" minimum:"1" maximum:"200" default:"50"`
}

// HistoryList is one page of an organization's history, newest first.
type HistoryList struct {
	Events []HistoryEvent `json:"events"`
	Before int64          `json:"before,omitempty" doc:"Ask with this to page on; absent at the end."`
}

// HistoryEvent is one thing that was done, or refused.
type HistoryEvent struct {
	Sequence int64           `json:"sequence" doc:"Its number in the organization's history."`
	ID       string          `json:"id"`
	Time     string          `json:"time" format:"date-time"`
	Name     string          `json:"name" doc:"What was done, such as orguser.permission_changed."`
	Save     string          `json:"save" doc:"The same for everything that was saved at once."`
	Refused  bool            `json:"refused" doc:"Somebody tried, and nothing was changed."`
	Code     string          `json:"code,omitempty" doc:"Why it was refused."`
	Actor    HistoryParty    `json:"actor"`
	Target   HistoryParty    `json:"target"`
	Channel  string          `json:"channel"`
	IP       string          `json:"ip,omitempty"`
	Device   string          `json:"device,omitempty"`
	Note     string          `json:"note,omitempty"`
	Changes  []HistoryChange `json:"changes"`
}

// HistoryParty is who did something, or what it was done to.
type HistoryParty struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"As it was then."`
}

// HistoryChange is one value that became another.
type HistoryChange struct {
	Field    string   `json:"field"`
	Accounts []string `json:"accounts,omitempty"`
	Old      string   `json:"old"`
	New      string   `json:"new"`
}

type historyOutput struct{ Body HistoryList }

// GET /api/v1/organizations/{organization}/history
func (e *Edge) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	if err := may(ctx, catalog.ViewUsers); err != nil {
		return nil, err
	}
	filter := activity.Filter{
		Actor: in.Actor, Names: in.Names, From: micros(in.From), Until: micros(in.Until),
		WithRefused: in.Refused, Before: in.Before, After: in.After, Limit: in.Size,
	}
	of := usermgmt.Person{Organization: bank.OrganizationID(in.Organization), User: bank.UserID(in.Member)}
	events, err := e.Users.History(ctx, gate.CallerOf(ctx), of, filter)
	if err != nil {
		return nil, err
	}
	list := HistoryList{Events: eventsOf(events)}
	if len(events) == in.Size {
		list.Before = events[len(events)-1].Sequence
	}
	return &historyOutput{list}, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func eventsOf(events []activity.Event) []HistoryEvent {
	all := []HistoryEvent{}
	for _, event := range events {
		all = append(all, historyEventOf(event))
	}
	return all
}

func historyEventOf(e activity.Event) HistoryEvent {
	shown := HistoryEvent{
		Sequence: e.Sequence, ID: e.ID, Time: moment(e.Time), Name: e.Name, Save: e.Save, Refused: e.Refused, Code: e.Code,
		Actor:   HistoryParty{string(e.Actor.Kind), e.Actor.ID, e.Actor.Name},
		Target:  HistoryParty{string(e.Target.Kind), e.Target.ID, e.Target.Name},
		Channel: string(e.Channel), IP: e.IP, Device: e.Device, Note: e.Note, Changes: []HistoryChange{},
	}
	for _, c := range e.Changes {
		shown.Changes = append(shown.Changes, HistoryChange{c.Field, c.Accounts, c.Old, c.New})
	}
	return shown
}
