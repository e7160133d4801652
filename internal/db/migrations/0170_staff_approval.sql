-- +goose Up

-- What the institution's own staff ask for waits in the same queue, for people
-- of another group. overseer is that group.
alter table approval_item add column side text not null default 'member'
    constraint approval_item_side check (side in ('member', 'staff'));
alter table approval_item add column overseer text not null default '';
create index approval_item_overseer on approval_item (institution_id, side, overseer, state, expires_micros);
create index approval_item_asker on approval_item (institution_id, side, initiator_id, state, expires_micros);

-- Who has agreed to what all of a group must agree to.
create table approval_voice (
    institution_id  text   not null,
    organization_id text   not null,
    item_id         text   not null,
    staff_id        text   not null,
    staff_name      text   not null,
    said_micros     bigint not null,
    constraint approval_voice_pk primary key (institution_id, organization_id, item_id, staff_id)
);

-- A change of what an organization as a whole has, as somebody of the staff
-- asked for it.
create table organization_change (
    institution_id  text   not null,
    organization_id text   not null,
    id              text   not null,
    staff_id        text   not null,
    was             text   not null,
    will            text   not null,
    created_micros  bigint not null,
    constraint organization_change_pk primary key (institution_id, organization_id, id)
);
