-- +goose Up

-- What must go out after a commit: mail, orders to the host, webhooks.
create table outbox (
    id             text     not null,
    institution_id text     not null,
    kind           text     not null,
    dedup_key      text     not null,
    lane           text     not null,
    place          bigint   not null,
    payload        bytea    not null,
    state          text     not null,
    attempts       integer  not null,
    due_micros     bigint   not null,
    created_micros bigint   not null,
    settled_micros bigint   not null,
    failure        text     not null,
    constraint outbox_pk primary key (id),
    constraint outbox_dedup unique (institution_id, kind, dedup_key),
    constraint outbox_state check (state in ('ready', 'busy', 'done', 'dead', 'cancelled'))
);
create index outbox_due on outbox (state, kind, due_micros);
create index outbox_lane on outbox (lane, place);
