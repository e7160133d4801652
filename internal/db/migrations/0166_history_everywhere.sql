-- +goose Up

-- One history over all chains of an institution: in the order of time, by kind
-- of event, and by staff user. What a kind is, internal/activity/kind.go says in
-- the same words; whoever changes one changes both. The sum of nothing keeps
-- the index of kinds apart from the one of everything: without statistics, a
-- planner takes them for equally good where a kind is asked for.
drop index history_event_time;
create index history_event_everywhere on history_event (institution_id, time_micros, organization_id, sequence);
create index history_event_kind on history_event (institution_id, ((case
	 when substr(name, 1, 4) = 'ach.' then 'ach'
	 when substr(name, 1, 4) = 'arp.' then 'positive_pay'
	 when substr(name, 1, 5) = 'stop.' then 'stops'
	 when substr(name, 1, 9) = 'transfer.' then 'transfers'
	 when substr(name, 1, 5) = 'wire.' then 'wires'
	 when substr(name, 1, 8) = 'payment.' then 'payments'
	 when substr(name, 1, 5) = 'card.' then 'cards'
	 when substr(name, 1, 4) = 'hra.' then 'high_risk'
	 when substr(name, 1, 5) = 'auth.' then 'authentication'
	 when name in ('orguser.locked', 'orguser.unlocked') or substr(name, 1, 22) = 'orguser.password_reset' then 'authentication'
	 when name in ('orguser.viewed', 'org.viewed') or substr(name, 1, 14) = 'orguser.see_as' then 'viewed'
	 when name in ('orguser.created', 'orguser.deleted', 'orguser.restored', 'orguser.credentials_created', 'orguser.activated') or substr(name, 1, 14) = 'orguser.invite' then 'people'
	 when name in ('orguser.profile_changed', 'orguser.preferred_name_changed', 'org.created', 'org.profile_changed') then 'profile'
	 when substr(name, 1, 11) = 'org.account' then 'accounts'
	 when substr(name, 1, 8) = 'orguser.' or substr(name, 1, 4) = 'org.' then 'permissions'
	 when substr(name, 1, 6) in ('staff.', 'group.') then 'staff'
	 when substr(name, 1, 13) = 'external_app.' or substr(name, 1, 7) = 'client.' then 'applications'
	 when substr(name, 1, 12) = 'institution.' then 'institution'
	 else 'other' end)), (time_micros + 0), organization_id, sequence);
create index history_event_staff on history_event (institution_id, actor_id, time_micros, organization_id, sequence) where actor_kind = 'staff';
