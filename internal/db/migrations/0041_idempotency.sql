-- +goose Up

-- What a client was told under a key of its own choosing, and a hash of what it
-- had asked.
create table idempotency_key (
    institution_id text   not null,
    client_id      text   not null,
    key            text   not null,
    content_hash   bytea  not null,
    answer         text   not null,
    created_micros bigint not null,
    constraint idempotency_key_pk primary key (institution_id, client_id, key)
);
create index idempotency_key_created on idempotency_key (created_micros);
