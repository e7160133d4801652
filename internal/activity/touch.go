package activity

import (
	"maps"
	"slices"
)

// A Touch says what an event may have changed of what decisions are made of, so
// that whoever keeps such facts in memory knows what to read again. It is a hint
// in one direction only: it may name too much, and never too little.
type Touch uint8

const (
	TouchMember       Touch = 1 << iota // what the target is and may do, or that they came or went
	TouchOrganization                   // entitlements, ceilings, what is off on its accounts
	TouchWhole                          // anything of the organization: members and accounts as well
	TouchUsage                          // what counts against daily limits
	TouchCallers                        // keys, clients and applications of the institution
	TouchInstitution                    // what it offers, its edition, its time zone

	TouchNothing Touch = 0
	TouchAll           = TouchMember | TouchOrganization | TouchWhole | TouchUsage | TouchCallers | TouchInstitution
)

// Has reports whether all of other is touched.
func (t Touch) Has(other Touch) bool { return t&other == other }

// Touched says what an event touches. One that is not known touches everything;
// a refusal changed nothing.
func Touched(e Event) Touch {
	if e.Refused {
		return TouchNothing
	}
	touch, known := TouchedBy(e.Name)
	if !known {
		return TouchAll
	}
	if touch.Has(TouchMember) && (e.Target.Kind != TargetMember || e.Target.ID == "") {
		touch |= TouchWhole // it does not say who
	}
	return touch
}

// TouchedBy is what events of a name touch, and whether the name is known.
func TouchedBy(name string) (Touch, bool) {
	touch, known := touches[name]
	return touch, known
}

// Names are the names of all events that there are, in order.
func Names() []string { return slices.Sorted(maps.Keys(touches)) }

var touches = func() map[string]Touch {
	all := map[string]Touch{}
	for touch, names := range map[Touch][]string{
		TouchNothing:                    untouching,
		TouchMember | TouchUsage:        touchingMember, // whose waiting payments may have ended with it
		TouchOrganization | TouchUsage:  {"org.change_agreed", "org.entitlement_changed"},
		TouchWhole | TouchUsage:         {"org.account_added", "org.created", "org.profile_changed"},
		TouchUsage:                      touchingUsage,
		TouchCallers:                    touchingCallers,
		TouchAll:                        {"institution.restored"},
		TouchInstitution | TouchCallers: {"institution.changed", "institution.created", "institution.terms_changed"},
	} {
		for _, name := range names {
			all[name] = touch
		}
	}
	return all
}()

var touchingMember = []string{
	"orguser.account_access_changed", "orguser.activated", "orguser.created", "orguser.created_at_host", "orguser.deleted",
	"orguser.deleted_at_host", "orguser.disabled", "orguser.entitlement_changed", "orguser.hold_placed", "orguser.hold_removed",
	"orguser.locked", "orguser.permission_changed", "orguser.profile_changed", "orguser.refused_at_host", "orguser.role_changed",
	"orguser.unlocked",
}

var touchingUsage = []string{
	"ach.batch_approved", "ach.batch_created", "ach.batch_deleted", "ach.batch_edited", "ach.batch_imported", "ach.batch_initiated",
	"ach.batch_pending_approval", "ach.batch_processed", "ach.batch_returned", "ach.batch_uninitiated", "ach.batch_uploaded",
	"payment.approved", "payment.authorized", "payment.confirmed", "payment.voided",
	"wire.approved", "wire.created", "wire.deleted", "wire.edited", "wire.expired", "wire.initiated", "wire.pending_approval", "wire.processed",
	"wire.refused", "wire.rejected", "wire.released", "wire.scheduled", "wire.series_edited",
}

var touchingCallers = []string{
	"directory.connected", "directory.disconnected",
	"external_app.changed", "external_app.created", "external_app.deleted", "external_app.released", "external_app.secret_rotated", "signing_key.rotated",
}

var untouching = []string{
	"account.viewed", "ach.category_changed", "ach.company_changed", "ach.layout_changed", "ach.rules_changed", "ach.sender_changed",
	"ach.viewed", "approval.viewed",
	"arp.accepted", "arp.account_enrolled", "arp.account_removed", "arp.approved", "arp.deleted", "arp.downloaded", "arp.exception_decided",
	"arp.exception_defaulted", "arp.exception_paid", "arp.exception_presented", "arp.exception_refused", "arp.exception_returned",
	"arp.layout_changed", "arp.rejected", "arp.uploaded", "arp.viewed",
	"auth.everybody_signed_out", "auth.password_changed", "auth.recovery_codes_renewed", "auth.second_factor_added",
	"auth.second_factor_removed", "auth.signin_failed", "auth.signin_succeeded",
	"card.activate_asked", "card.changed", "card.lock_asked", "card.refused", "card.reordered", "card.reported_lost", "card.reported_stolen",
	"card.unlock_asked", "card.viewed",
	"external_app.consent_given", "external_app.consent_withdrawn", "external_app.grant_ended", "external_app.permissions_declared",
	"external_app.signed_in", "external_app.token_reused", "external_app.viewed",
	"group.2fa_enforced", "group.changed", "group.created", "group.deleted",
	"hra.expired", "hra.failed", "hra.passed", "hra.requested",
	"institution.arp_settings_changed", "institution.brand_changed", "institution.calendar_changed", "institution.customers_viewed",
	"institution.defaults_changed", "institution.held_dropped", "institution.held_released", "institution.history_searched", "institution.host_reconciled", "institution.host_retried",
	"institution.host_set_aside", "institution.host_viewed", "institution.organizations_viewed", "institution.provider_changed",
	"institution.provider_removed", "institution.second_factor_changed", "institution.stop_terms_changed", "institution.viewed",
	"institution.webhook_changed", "institution.webhook_created", "institution.webhook_deleted", "institution.webhook_paused", "institution.webhook_resent",
	"institution.webhook_resumed", "institution.webhook_secret_rotated", "institution.webhook_stopped", "institution.webhook_tested",
	"org.change_asked", "org.change_expired", "org.change_rejected", "org.one_admin_left", "org.viewed",
	"orguser.credentials_created", "orguser.invite_delivered", "orguser.invite_expired", "orguser.invite_failed", "orguser.invite_opened",
	"orguser.invite_requested", "orguser.invite_revoked", "orguser.invited", "orguser.password_reset_completed",
	"orguser.password_reset_opened", "orguser.password_reset_sent", "orguser.preferred_name_changed", "orguser.see_as_ended",
	"orguser.see_as_started", "orguser.viewed",
	"staff.activated", "staff.connected", "staff.credentials_created", "staff.deactivated", "staff.deleted", "staff.disconnected",
	"staff.filters_kept", "staff.groups_changed", "staff.invite_delivered", "staff.invite_expired", "staff.invite_failed",
	"staff.invite_opened", "staff.invite_requested", "staff.invite_revoked", "staff.invited", "staff.locked", "staff.outside_linked",
	"staff.outside_unlinked", "staff.password_reset_completed", "staff.password_reset_opened", "staff.password_reset_sent",
	"staff.profile_changed", "staff.provisioned", "staff.reactivated", "staff.unlocked", "staff.viewed",
	"stop.added", "stop.lift_asked", "stop.lifted", "stop.placed", "stop.refused", "stop.viewed",
	"support.case_changed", "support.case_opened", "support.cases_viewed",
	"transfer.cancelled", "transfer.created", "transfer.edited", "transfer.executed", "transfer.moved", "transfer.refused",
	"transfer.scheduled", "transfer.sent", "transfer.viewed",
	"wire.template_created", "wire.template_deleted", "wire.template_edited", "wire.terms_changed", "wire.viewed",
}
