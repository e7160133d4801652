package console

import (
	"net/http"

	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

type seeAsPage struct {
	memberFrame
	Ticket string // the address in Online, good for a minute
}

// seeAs gives a ticket to Online as a member sees it. It is shown as a link: a
// form of this app is sent nowhere else.
//
// POST /{institution}/people/{organization}/members/{member}/see-as
func (a *app) seeAs(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "")
	if err != nil {
		return err
	}
	name, back := frame.Profile.Member.Name(), frame.at("")
	var ticket identity.Secret
	ask := func() (entrance.Proof, error) {
		return entrance.Proof{Text: "Before you see Online as " + name + " sees it. Their organization can read that you did.", Cancel: back,
			Crumbs: []ui.Link{{Label: "People", Href: frame.Base.people()}, {Label: name, Href: back}}}, nil
	}
	proven, err := a.door.Proven(w, r, ask, func() (err error) {
		ticket, err = a.door.Identity.SeeAs(r.Context(), web.CallerOf(r.Context()), organizationID(r), memberID(r).User)
		return err
	})
	if err != nil || !proven {
		return err
	}
	address := a.Online + entrance.BaseOf(r).SeeAs(string(ticket))
	return web.Render(w, r, http.StatusOK, seeAsView(seeAsPage{frame, address}))
}
