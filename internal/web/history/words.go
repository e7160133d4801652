package history

import (
	"cmp"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// A deed is how an event reads: what somebody did to somebody.
type deed struct {
	text string // with {actor} and {target}
	icon string
	tone ui.Tone
}

var deeds = map[string]deed{
	"orguser.created":                  {"{actor} created {target}", "user-plus", ui.Good},
	"orguser.deleted":                  {"{actor} deleted {target}", "trash-2", ui.Bad},
	"orguser.profile_changed":          {"{actor} changed the profile of {target}", "pencil", ui.Plain},
	"org.created":                      {"{actor} created {target}", "building-2", ui.Good},
	"org.profile_changed":              {"{actor} changed the details of {target}", "building-2", ui.Plain},
	"org.account_added":                {"The account {target} was added; nobody has access to it yet", "wallet", ui.Note},
	"org.one_admin_left":               {"{target} has one admin left who can sign in", "triangle-alert", ui.Warn},
	"orguser.role_changed":             {"{actor} changed the role of {target}", "shield", ui.Warn},
	"orguser.entitlement_changed":      {"{actor} changed what {target} has", "sliders-horizontal", ui.Plain},
	"orguser.permission_changed":       {"{actor} changed the permissions of {target}", "sliders-horizontal", ui.Plain},
	"orguser.account_access_changed":   {"{actor} changed the account access of {target}", "wallet", ui.Plain},
	"org.change_asked":                 {"{actor} asked for a change of what {target} has", "building-2", ui.Plain},
	"org.change_agreed":                {"{actor} agreed to a change of what {target} has", "building-2", ui.Plain},
	"org.change_rejected":              {"{actor} rejected a change of what {target} has", "building-2", ui.Plain},
	"org.change_expired":               {"Nobody decided in time: {target}", "hourglass", ui.Plain},
	"org.entitlement_changed":          {"{actor} changed what {target} has", "building-2", ui.Plain},
	"orguser.invited":                  {"{actor} invited {target}", "mail", ui.Plain},
	"orguser.invite_expired":           {"The invitation of {target} expired", "hourglass", ui.Warn},
	"orguser.invite_delivered":         {"The mail server took the invitation of {target}", "mail", ui.Plain},
	"orguser.invite_failed":            {"The mail server refused the invitation of {target}", "octagon-alert", ui.Bad},
	"orguser.invite_opened":            {"{target} opened the invitation", "mail", ui.Plain},
	"orguser.invite_requested":         {"{target} asked for a new invitation", "mail", ui.Note},
	"orguser.invite_revoked":           {"{actor} cancelled the invitation of {target}", "mail", ui.Plain},
	"orguser.credentials_created":      {"{target} created credentials", "key-round", ui.Plain},
	"orguser.activated":                {"{target} signed in for the first time", "circle-check", ui.Good},
	"orguser.locked":                   {"{target} was locked", "lock", ui.Bad},
	"orguser.unlocked":                 {"{actor} unlocked {target}", "lock-open", ui.Good},
	"orguser.hold_placed":              {"{actor} put the account access of {target} on hold", "circle-pause", ui.Warn},
	"orguser.hold_removed":             {"{actor} removed the hold on {target}", "circle-check", ui.Good},
	"orguser.disabled":                 {"{actor} disabled {target}", "circle-slash", ui.Bad},
	"orguser.password_reset_sent":      {"{actor} sent {target} a password reset link", "mail", ui.Plain},
	"orguser.password_reset_opened":    {"{target} opened a password reset link", "mail", ui.Plain},
	"orguser.password_reset_completed": {"{target} chose a new password by a reset link", "key-round", ui.Note},
	"orguser.viewed":                   {"{actor} looked at the profile of {target}", "eye", ui.Plain},
	"org.viewed":                       {"{actor} looked at the profile of {target}", "eye", ui.Plain},
	"orguser.see_as_started":           {"{actor} began to see Online as {target} sees it, without being able to change anything", "eye", ui.Note},
	"orguser.see_as_ended":             {"{actor} no longer sees Online as {target}", "eye-off", ui.Plain},
	"auth.password_changed":            {"{target} changed their own password", "key-round", ui.Note},
	"auth.second_factor_added":         {"{target} added a second factor", "shield-check", ui.Good},
	"auth.second_factor_removed":       {"{target} removed a second factor", "shield", ui.Warn},
	"auth.recovery_codes_renewed":      {"{target} made new recovery codes", "key-round", ui.Plain},
	"hra.requested":                    {"{actor} was asked to confirm that it is them", "shield", ui.Plain},
	"hra.expired":                      {"{target} did not confirm in time that it is them", "hourglass", ui.Plain},
	"hra.passed":                       {"{actor} confirmed that it was them", "shield-check", ui.Plain},
	"hra.failed":                       {"{actor} did not prove that it was them", "shield", ui.Warn},
	"payment.authorized":               {"{actor} authorized the payment {target}", "banknote", ui.Plain},
	"payment.approved":                 {"{actor} approved the payment {target}", "circle-check", ui.Good},
	"payment.confirmed":                {"{actor} released the payment {target}", "send", ui.Good},
	"payment.voided":                   {"{actor} took back the payment {target}", "undo-2", ui.Plain},
	"orguser.created_at_host":          {"The host has taken {target} over", "circle-check", ui.Plain},
	"orguser.deleted_at_host":          {"The host has removed {target}", "trash-2", ui.Plain},
	"orguser.refused_at_host":          {"The host refused what changed about {target}", "octagon-alert", ui.Warn},
	"institution.host_retried":         {"{actor} tried again what the host had not taken", "refresh-cw", ui.Plain},
	"institution.host_set_aside":       {"{actor} set aside what the host and we could not agree on", "circle-slash", ui.Plain},
	"institution.host_reconciled":      {"All people were compared with the host's", "list-filter", ui.Plain},
	"auth.signin_succeeded":            {"{target} signed in", "key-round", ui.Plain},
	"auth.signin_failed":               {"Somebody failed to sign in as {target}", "key-round", ui.Warn},
}

// events are the entries of a history as a page shows them.
func (d Describer) Events(all []activity.Event) []ui.Event {
	shown := make([]ui.Event, 0, len(all))
	for _, e := range all {
		shown = append(shown, d.Event(e))
	}
	return shown
}

func (d Describer) Event(e activity.Event) ui.Event {
	did, known := deeds[e.Name]
	if !known {
		did, known = moneyDeeds[e.Name]
	}
	if !known {
		did, known = achDeeds[e.Name]
	}
	if !known {
		did, known = staffDeeds[e.Name]
	}
	if !known {
		did = deed{"{actor}: " + strings.NewReplacer(".", " ", "_", " ").Replace(e.Name) + ", {target}", "activity", ui.Plain}
	}
	if e.Name == "orguser.password_reset_sent" && e.Actor.ID == e.Target.ID {
		did.text = "{target} asked for a password reset link"
	}
	text := strings.NewReplacer("{actor}", ActorName(e.Actor), "{target}", TargetName(e.Target)).Replace(did.text)
	shown := ui.Event{Icon: did.icon, Tone: did.tone, Text: text, Where: channels[e.Channel], At: e.Time, Place: d.Place}
	if madeOutside(e) {
		shown.Where = "made outside, " + shown.Where
	}
	if e.Refused && !proving(e.Name) {
		shown.Text, shown.Who = "Refused: "+text, e.Note
		shown.Icon, shown.Tone = "ban", ui.Bad
	}
	if !e.Refused && notes[e.Name] {
		shown.Who = e.Note
	}
	for _, c := range e.Changes {
		if !forPrograms[c.Field] {
			shown.Diffs = append(shown.Diffs, d.diff(e, c))
		}
	}
	return shown
}

// madeOutside reports whether somebody changed an organization or its people at
// the host, and not here.
func madeOutside(e activity.Event) bool {
	about := strings.HasPrefix(e.Name, "orguser.") || strings.HasPrefix(e.Name, "org.") || e.Name == "institution.defaults_changed"
	return e.Actor.Kind == bank.ActorHost && about && !strings.HasSuffix(e.Name, "_at_host")
}

// forPrograms are the fields that hold an id: the file of the history has them.
var forPrograms = map[string]bool{"series": true}

// notes are the events whose note is for people: a reason, a cause. The notes
// of others are for programs.
var notes = map[string]bool{
	"orguser.hold_placed": true, "orguser.locked": true, "org.one_admin_left": true, "orguser.password_reset_sent": true, "orguser.invite_failed": true,
	"orguser.refused_at_host": true, "institution.host_set_aside": true, "institution.host_reconciled": true,
}

// maxNamed is how many accounts a line of the history names.
const maxNamed = 4

// diff is one change as a line of the history: of what came into being there
// was nothing before, and many accounts are counted.
func (d Describer) diff(e activity.Event, c activity.Change) [3]string {
	old, now := d.Value(c.Field, c.Old), d.Value(c.Field, c.New)
	if began[e.Name] || c.Old == "" && old == "None" {
		old = ""
	}
	if c.New == "" && now == "None" {
		now = ""
	}
	if n := len(c.Accounts); n > maxNamed {
		some := c
		some.Accounts = c.Accounts[:maxNamed-1]
		return [3]string{fmt.Sprintf("%s and %d more accounts", d.Field(some), n-len(some.Accounts)), old, now}
	}
	return [3]string{d.Field(c), old, now}
}

// began are the events with which something comes into being.
var began = map[string]bool{"orguser.created": true, "org.created": true, "org.account_added": true}

// proving reports whether an event is about proving who somebody is: that it
// was refused is what it says already.
func proving(name string) bool {
	return strings.HasPrefix(name, "auth.") || strings.HasPrefix(name, "hra.")
}

func ActorName(a activity.Actor) string {
	if a.Name != "" {
		return a.Name
	}
	switch a.Kind {
	case bank.ActorHost:
		return "The institution's host"
	case bank.ActorClient:
		return "A program"
	case bank.ActorOperator:
		return "The operator"
	}
	return "Somebody"
}

func TargetName(t activity.Target) string {
	if t.Name != "" {
		return t.Name
	}
	return "this person"
}

var channels = map[bank.Channel]string{
	bank.ChannelOnline: "in Online", bank.ChannelPeople: "in People", bank.ChannelAPI: "by API", bank.ChannelSCIM: "by SCIM",
	bank.ChannelImport: "by import", bank.ChannelClassic: "in Classic", bank.ChannelBackOffice: "in BackOffice",
	bank.ChannelCore: "on the host", bank.ChannelCommand: "by command", bank.ChannelSystem: "by Mandate itself",
}

var fields = map[string]string{
	"name": "Name", "first_name": "First name", "last_name": "Last name", "email": "Email", "role": "Role", "status": "Status",
	"held": "Account access on hold", "external_id": "Known there as", "parked": "What", "orders": "Orders", "order": "Order", "username": "Username", "avatar": "Picture", "second_factor": "Second factor",
	"member": "For", "operation": "What", "to_account": "To", "approved_by": "Approved by", "approval_required": "Waits for a second person", "address": "Address", "phone": "Phone",
	"invitation": "Sent to", "password_reset": "Sent to", "entitlements": "Entitlements",
	"account": "Account", "account.name": "Account name", "account.number": "Account number", "account.kind": "Kind of account", "account.off": "Off on the account",
}

// field names what was changed, with the account where it is one's.
func (d Describer) Field(c activity.Change) string {
	label := cmp.Or(fields[c.Field], moneyFields[c.Field], achFields[c.Field], staffField(c.Field))
	id, ceiling := strings.CutPrefix(c.Field, "ceiling.")
	if p, ok := catalog.ParsePermission(id); ok {
		label = phrase.Permission(p)
		if ceiling {
			label = "Ceiling of " + label
		}
	}
	if label == "" {
		label = c.Field
	}
	if len(c.Accounts) == 0 || c.Field == "account" { // a new account is what the value says
		return label
	}
	names := make([]string, 0, len(c.Accounts))
	for _, id := range c.Accounts {
		name := d.accounts[bank.AccountID(id)]
		if name == "" {
			name = id
		}
		names = append(names, name)
	}
	return label + " on " + strings.Join(names, ", ")
}

// lists are the fields that hold entitlements by id.
var lists = map[string]bool{"entitlements": true, "account.off": true, "offers": true}

func entitlementNames(ids string) string {
	var names []string
	for id := range strings.FieldsSeq(ids) {
		if e, known := catalog.ParseEntitlement(id); known {
			id = e.Label()
		}
		names = append(names, id)
	}
	return strings.Join(names, ", ")
}

// value writes a value of the history as people read it.
func (d Describer) Value(field, value string) string {
	if text, money := d.moneyValue(field, value); money {
		return text
	}
	if text, known := staffValue(field, value); known {
		return text
	}
	p, ok := catalog.ParsePermission(strings.TrimPrefix(field, "ceiling."))
	switch {
	case ok && p.IsLimit():
		if value == "" {
			return "Not set"
		}
		if amount, err := bank.ParseAmount(value); err == nil {
			return amount.Dollars()
		}
	case lists[field] && value != "":
		return entitlementNames(value)
	case ok && p == catalog.ACHEditLevel:
		if level, ok := catalog.ParseEditLevel(value); ok {
			return level.Label()
		}
	case field == "approval_required" && value == "true":
		return "Yes"
	case value == "true":
		return "On"
	case value == "false":
		return "Off"
	case field == "role":
		if role, err := bank.ParseRole(value); err == nil {
			return role.Label()
		}
	case field == "status":
		if status, err := bank.ParseStatus(value); err == nil {
			return status.Label()
		}
	case value == "":
		return "None"
	case field == "avatar":
		return "A picture"
	case field == "operation":
		return cmp.Or(phrase.Capital(catalog.ParseOperation(value).Info().Label), value)
	case field == "second_factor":
		return factorWords(value)
	}
	return value
}

// factorWords names a second factor, of which the history has the method and the
// name that its owner gave it.
func factorWords(value string) string {
	method, name, _ := strings.Cut(value, " ")
	kind := map[string]string{string(identity.MethodTOTP): "Authenticator app", string(identity.MethodPasskey): "Passkey"}[method]
	if kind == "" {
		return value // of whom one is required
	}
	if kind == name {
		return kind
	}
	return kind + " “" + name + "”"
}
