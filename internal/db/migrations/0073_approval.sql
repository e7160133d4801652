-- +goose Up

-- What waits for a second person, bound to the content that waits.
create table approval_item (
    institution_id  text   not null,
    organization_id text   not null,
    id              text   not null,
    kind            text   not null,
    ref             text   not null,
    title           text   not null,
    account_id      text   not null,
    cents           bigint not null,
    state           text   not null,
    content_hash    text   not null,
    initiator_id    text   not null,
    initiator_name  text   not null,
    asked_micros    bigint not null,
    expires_micros  bigint not null,
    decider_id      text   not null,
    decider_name    text   not null,
    decided_micros  bigint not null,
    comment         text   not null,
    constraint approval_item_pk primary key (institution_id, organization_id, id),
    constraint approval_item_state check (state in ('waiting', 'approved', 'released', 'rejected', 'sent_back', 'withdrawn', 'expired')),
    constraint approval_item_decided check (state in ('waiting', 'sent_back', 'withdrawn', 'expired') or decider_id <> '')
);
-- One object waits at most once.
create unique index approval_item_open on approval_item (institution_id, organization_id, kind, ref) where state in ('waiting', 'approved');
create index approval_item_done on approval_item (institution_id, organization_id, decided_micros);
create index approval_item_due on approval_item (state, expires_micros);

-- Who made or edited an object: none of them approves it.
create table approval_hand (
    institution_id  text not null,
    organization_id text not null,
    kind            text not null,
    ref             text not null,
    member_id       text not null,
    constraint approval_hand_pk primary key (institution_id, organization_id, kind, ref, member_id)
);
