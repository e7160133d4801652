package history

import (
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/web/ui"
)

// staffDeeds are how events of the institution's own side read: its staff users
// and groups, its settings, and the applications that it lets in.
var staffDeeds = map[string]deed{
	"staff.invited":                  {"{actor} invited {target} to the staff", "mail", ui.Plain},
	"staff.invite_delivered":         {"The mail server took the invitation of {target}", "mail", ui.Plain},
	"staff.invite_failed":            {"The mail server refused the invitation of {target}", "octagon-alert", ui.Bad},
	"staff.invite_expired":           {"The invitation of {target} expired", "hourglass", ui.Warn},
	"staff.invite_opened":            {"{target} opened the invitation", "mail", ui.Plain},
	"staff.invite_requested":         {"{target} asked for a new invitation", "mail", ui.Note},
	"staff.invite_revoked":           {"{actor} cancelled the invitation of {target}", "mail", ui.Plain},
	"staff.credentials_created":      {"{target} chose a password", "key-round", ui.Plain},
	"staff.activated":                {"{target} signed in for the first time", "circle-check", ui.Good},
	"staff.locked":                   {"{target} was locked", "lock", ui.Bad},
	"staff.unlocked":                 {"{actor} unlocked {target}", "lock-open", ui.Good},
	"staff.password_reset_sent":      {"{actor} sent {target} a password reset link", "mail", ui.Plain},
	"staff.password_reset_opened":    {"{target} opened a password reset link", "mail", ui.Plain},
	"staff.password_reset_completed": {"{target} chose a new password by a reset link", "key-round", ui.Note},
	"staff.profile_changed":          {"{actor} changed the profile of {target}", "pencil", ui.Plain},
	"staff.groups_changed":           {"{actor} changed the groups of {target}", "users", ui.Warn},
	"staff.provisioned":              {"{actor} created {target} from a directory", "user-plus", ui.Good},
	"staff.deactivated":              {"{actor} deactivated {target}", "circle-slash", ui.Bad},
	"staff.reactivated":              {"{actor} let {target} sign in again", "circle-check", ui.Good},
	"staff.deleted":                  {"{actor} deleted {target}", "trash-2", ui.Bad},
	"staff.connected":                {"{target} connected a sign-in at another institution", "link", ui.Note},
	"staff.disconnected":             {"{target} disconnected a sign-in at another institution", "link", ui.Plain},
	"staff.outside_linked":           {"{target} was linked with the institution’s own sign-in", "link", ui.Note},
	"staff.outside_unlinked":         {"{actor} unlinked {target} from the institution’s own sign-in", "link", ui.Warn},
	"staff.filters_kept":             {"{target} changed their saved filters", "list-filter", ui.Plain},
	"staff.viewed":                   {"{actor} looked at Users & Groups", "eye", ui.Plain},
	"group.created":                  {"{actor} created the group {target}", "users", ui.Good},
	"group.changed":                  {"{actor} changed the group {target}", "users", ui.Warn},
	"group.deleted":                  {"{actor} deleted the group {target}", "trash-2", ui.Bad},
	"group.2fa_enforced":             {"{actor} required a second factor of the group {target}", "shield-check", ui.Good},

	"directory.connected":               {"{actor} connected the directory {target}", "refresh-cw", ui.Good},
	"directory.disconnected":            {"{actor} disconnected the directory {target}", "refresh-cw", ui.Warn},
	"external_app.created":              {"{actor} let in the application {target}", "link", ui.Good},
	"external_app.changed":              {"{actor} changed the application {target}", "pencil", ui.Warn},
	"external_app.deleted":              {"{actor} ended the application {target}", "trash-2", ui.Bad},
	"external_app.released":             {"{actor} let {target} in again after a restore", "circle-check", ui.Warn},
	"external_app.secret_rotated":       {"{actor} gave the application {target} a new secret", "key-round", ui.Warn},
	"external_app.permissions_declared": {"{actor} declared what the product {target} permits", "sliders-horizontal", ui.Plain},
	"external_app.signed_in":            {"{target} signed in to an application", "key-round", ui.Plain},
	"external_app.consent_given":        {"{actor} agreed that {target} gets to know about them", "circle-check", ui.Plain},
	"external_app.consent_withdrawn":    {"{actor} no longer agrees that {target} gets to know about them", "undo-2", ui.Plain},
	"external_app.grant_ended":          {"The sign-in of {target} to an application ended", "circle-slash", ui.Plain},
	"external_app.token_reused":         {"A token of {target} was used twice, so the sign-in that it is of was ended", "triangle-alert", ui.Bad},
	"external_app.viewed":               {"{actor} looked at external applications", "eye", ui.Plain},
	"signing_key.rotated":               {"{actor} changed the keys that sign-ins are signed with", "key-round", ui.Note},
	"institution.restored":              {"{actor} restored a backup, which ended every sign-in and open link of the institution", "undo-2", ui.Bad},
	"institution.held_released":         {"{actor} let go out what was held back after a restore", "circle-check", ui.Warn},
	"institution.held_dropped":          {"{actor} dropped what was held back after a restore", "trash-2", ui.Bad},
	"auth.everybody_signed_out":         {"{actor} ended every sign-in and open link of the institution", "circle-slash", ui.Bad},

	"institution.webhook_created":        {"{actor} added the webhook {target}", "link", ui.Good},
	"institution.webhook_changed":        {"{actor} changed the webhook {target}", "pencil", ui.Warn},
	"institution.webhook_paused":         {"{actor} paused the webhook {target}", "circle-slash", ui.Warn},
	"institution.webhook_resumed":        {"{actor} resumed the webhook {target}", "circle-check", ui.Good},
	"institution.webhook_secret_rotated": {"{actor} gave the webhook {target} a new secret", "key-round", ui.Warn},
	"institution.webhook_deleted":        {"{actor} deleted the webhook {target}", "trash-2", ui.Bad},
	"institution.webhook_tested":         {"{actor} sent a test to the webhook {target}", "link", ui.Plain},
	"institution.webhook_resent":         {"{actor} sent a message to the webhook {target} again", "link", ui.Plain},
	"institution.webhook_stopped":        {"Sending to the webhook {target} was stopped", "octagon-alert", ui.Bad},

	"institution.provider_changed":      {"{actor} changed through which provider staff sign in", "key-round", ui.Warn},
	"institution.provider_removed":      {"{actor} removed the provider through which staff signed in", "key-round", ui.Bad},
	"institution.created":               {"{actor} created the institution", "landmark", ui.Good},
	"institution.changed":               {"{actor} changed the institution", "landmark", ui.Plain},
	"institution.terms_changed":         {"{actor} changed the institution's services and edition", "landmark", ui.Warn},
	"institution.brand_changed":         {"{actor} changed how the institution looks", "landmark", ui.Plain},
	"institution.defaults_changed":      {"{actor} changed what a new member starts with, in the role {target}", "sliders-horizontal", ui.Plain},
	"institution.second_factor_changed": {"{actor} changed of whom a second factor is required", "shield", ui.Warn},
	"institution.viewed":                {"{actor} looked at the institution's settings", "eye", ui.Plain},
	"institution.host_viewed":           {"{actor} looked at how the host is doing", "eye", ui.Plain},
	"institution.customers_viewed":      {"{actor} searched customers", "eye", ui.Plain},
	"institution.organizations_viewed":  {"{actor} searched organizations", "eye", ui.Plain},
	"institution.history_searched":      {"{actor} searched the activity", "eye", ui.Plain},

	"orguser.preferred_name_changed": {"{actor} changed the preferred name of {target}", "pencil", ui.Plain},
	"support.case_opened":            {"{actor} opened a support case about {target}", "circle-question-mark", ui.Note},
	"support.case_changed":           {"{actor} changed a support case about {target}", "circle-question-mark", ui.Plain},
	"support.cases_viewed":           {"{actor} looked at support cases about {target}", "eye", ui.Plain},
	"approval.viewed":                {"{actor} looked at what waits for approval", "eye", ui.Plain},
	"account.viewed":                 {"{actor} looked at accounts", "eye", ui.Plain},
	"arp.viewed":                     {"{actor} looked at positive pay", "eye", ui.Plain},
	"card.viewed":                    {"{actor} looked at cards", "eye", ui.Plain},
	"stop.viewed":                    {"{actor} looked at stop payments", "eye", ui.Plain},
	"transfer.viewed":                {"{actor} looked at transfers", "eye", ui.Plain},
	"wire.viewed":                    {"{actor} looked at wires", "eye", ui.Plain},
}

// staffFields are what the fields of such events are called.
var staffFields = map[string]string{
	"description": "Description", "groups": "Groups", "reports_to": "Reports to", "approval_from": "Needs approval from", "second_factor_from": "Second factor required from",
	"preferred_name": "Preferred name", "external_id": "Number in the directory", "active": "Active", "home": "Group of newcomers", "reach": "May grant",
	"partner": "Partner", "method": "How it proves itself", "grants": "How it gets tokens", "redirects": "Redirect addresses", "post_logouts": "Addresses after signing out",
	"back_channel_logout": "Address that is told of a sign-out", "scopes": "Scopes", "keys": "Keys", "claims.groups": "Gets to know groups", "claims.permissions": "Gets to know permissions",
	"consent": "Asks people first", "service": "Acts as", "service_user": "Acts as", "enabled": "Enabled", "old_secret_ends": "The old secret ends", "version": "Version", "application": "Application",
	"operations": "Operations", "acts_for_people": "Acts for people", "institution": "Institution", "agreed": "Agreed by", "support_case": "Case", "support_status": "Status",
	"edition": "Edition", "time_zone": "Time zone", "offers": "Services", "accent": "Colour", "logo": "Logo", "staff_factor_from": "Second factor required of staff from",
	"disclaimer": "Disclaimer", "product": "Product", "host": "Speaks for the host",
	"certificates": "Certificates", "capabilities": "Can carry out", "rate": "Decisions a second",
	"url": "Address", "kinds": "Kinds of events", "events": "Events", "organizations": "Organizations",
	"issuer": "Issuer", "client_id": "Client id", "label": "Name of the provider", "secret": "Secret", "subject_claim": "Claim that names a person",
	"email_claim": "Claim with the address", "vouches": "Vouches for addresses", "factors": "Words that count as a second factor", "outside_subject": "Name at the provider",
}

// staffField is what a field of such an event is called, which may be a
// permission of staff.
func staffField(field string) string {
	if p := catalog.ParseStaffPermission(field); p != catalog.UnknownStaffPermission {
		return p.Info().Label
	}
	return staffFields[field]
}

// staffValue writes a value of such an event.
func staffValue(field, value string) (string, bool) {
	if value == "" {
		return "All", field == "organizations"
	}
	switch field {
	case "kinds":
		return kindNames(value), true
	case "edition":
		if e, err := bank.ParseEdition(value); err == nil {
			return e.Label(), true
		}
	case "second_factor_from", "staff_factor_from":
		if day, err := bank.ParseDay(value); err == nil {
			return calendar.Long(day), true
		}
	case "approval_from":
		words := map[string]string{"one": "One of them", "everyone": "Everybody of them"}[value]
		return words, words != ""
	case "logo":
		return "A picture", true
	case "redirects", "post_logouts", "scopes", "grants":
		return strings.Join(strings.Fields(value), ", "), true
	}
	return "", false
}

// kindNames are kinds of events by what they are called.
func kindNames(kinds string) string {
	var names []string
	for value := range strings.FieldsSeq(kinds) {
		if i := slices.IndexFunc(activity.Kinds(), func(k activity.Kind) bool { return k.Value == value }); i >= 0 {
			value = activity.Kinds()[i].Label
		}
		names = append(names, value)
	}
	return strings.Join(names, ", ")
}
