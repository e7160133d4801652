package online

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// GET /{institution}/wires/{wire}/send
func (a *app) askSendWire(w http.ResponseWriter, r *http.Request) error {
	return a.renderAskSend(w, r, nil)
}

// renderAskSend asks before a ready wire is sent off. A twin is another wire
// that looks the same: then it is asked whether that is meant.
func (a *app) renderAskSend(w http.ResponseWriter, r *http.Request, twin *wire.Twin) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	if !d.CanSend {
		return fault.New(fault.Conflict, "This wire can no longer be sent off, or you may not send it. Look at it again.")
	}
	here := v.base.wire(d.ID)
	text := "It goes out on your right."
	if d.May.ApprovalRequired {
		text = "A second person must agree before it goes out."
	}
	hidden := [][2]string{{"version", strconv.FormatInt(d.Version, 10)}}
	title := "Send this wire?"
	if twin != nil {
		title, text = "Send it all the same?", "A wire of the same amount to the same account is on its way that day already. "+text
		hidden = append(hidden, [2]string{"anyway", "on"})
	}
	question := ui.Confirmation{
		Title: title, Text: fmt.Sprintf("%s to %s at %s. %s You will be asked to confirm that it is you.", d.Cents.Dollars(), d.Payee.Name, d.Bank.Name, text),
		Action: here + "/send", Confirm: ui.Action{Label: "Send the wire", Variant: ui.Primary, Busy: "Sending"}, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, hidden, ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: d.Title(), Href: here})
}

// POST /{institution}/wires/{wire}/send
func (a *app) sendWire(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	done, err := a.proven(w, r, proofOfWire(v.base, d.Cents, d.Payee.Name, v.base.wire(d.ID)), func() error {
		return a.money.Wires.Send(r.Context(), web.CallerOf(r.Context()), d.ID, number(f.Raw("version")), f.Checked("anyway"))
	})
	if twin, double := errors.AsType[*wire.Twin](err); double && d.CanSend && !f.Checked("anyway") {
		return a.renderAskSend(w, r, twin)
	}
	if err != nil || !done {
		return err
	}
	return a.toWire(w, r, &v, d.ID)
}

// GET /{institution}/wires/{wire}/cancel
func (a *app) askCancelWire(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	if !d.CanTake {
		return fault.New(fault.Conflict, "This wire can no longer be cancelled, or you may not cancel it. Look at it again.")
	}
	here := v.base.wire(d.ID)
	question := ui.Confirmation{
		Title: "Cancel this wire?", Text: fmt.Sprintf("%s to %s. It will not go out. This cannot be undone, but you can copy it.", d.Cents.Dollars(), d.Payee.Name),
		Action: here + "/cancel", Confirm: ui.Action{Label: "Cancel wire", Variant: ui.Danger, Busy: "Cancelling"}, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, [][2]string{{"version", strconv.FormatInt(d.Version, 10)}}, ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: d.Title(), Href: here})
}

// POST /{institution}/wires/{wire}/cancel
func (a *app) cancelWire(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	id := wire.ID(r.PathValue("wire"))
	if err := a.money.Wires.Cancel(r.Context(), web.CallerOf(r.Context()), id, number(web.ReadForm(r).Raw("version"))); err != nil {
		return err
	}
	return a.toWire(w, r, &v, id)
}
