-- +goose Up

-- After a restore: messages of a kind that were queued up to a moment are kept
-- back until an operator says whether they go out. What was sent since the
-- backup is not known here.
create table outbox_hold (
    institution_id text   not null,
    kind           text   not null,
    until_micros   bigint not null,
    since_micros   bigint not null,
    constraint outbox_hold_pk primary key (institution_id, kind)
);
