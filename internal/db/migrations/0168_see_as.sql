-- +goose Up

-- Staff users who see Online as one of its members sees it: first a ticket that
-- works once and for a minute, then a session that changes nothing.
create table see_as (
    institution_id  text   not null,
    id              text   not null,
    organization_id text   not null,
    member_id       text   not null,
    staff_id        text   not null,
    sign_in_id      text   not null,
    ticket_hash     bytea  not null,
    ticket_micros   bigint not null,
    token_hash      bytea  not null,
    ends_micros     bigint not null,
    ended_micros    bigint not null default 0,
    constraint see_as_pk primary key (institution_id, id),
    constraint see_as_ticket unique (institution_id, ticket_hash)
);
create index see_as_token on see_as (institution_id, token_hash);
create index see_as_open on see_as (ends_micros) where ended_micros = 0;
