-- +goose Up

-- One row per reference: what was asked, what was answered, where it stands.
-- Institutions and their calling clients choose references; our own rooms are
-- the client with the empty id.
create table payment_authorization (
    institution_id    text     not null,
    client_id         text     not null,
    ref               text     not null,
    id                text     not null,
    organization_id   text     not null,
    content           text     not null,
    state             smallint not null,
    approval_required boolean  not null,
    approved_by       text     not null,
    reasons           text     not null,
    created_micros    bigint   not null,
    waits_from_micros bigint   not null,
    constraint payment_authorization_pk primary key (institution_id, client_id, ref),
    constraint payment_authorization_id unique (id),
    constraint payment_authorization_state check (state between 0 and 3)
);
create index payment_authorization_waiting on payment_authorization (waits_from_micros) where state = 1;
create index payment_authorization_organization on payment_authorization (institution_id, organization_id, created_micros);
