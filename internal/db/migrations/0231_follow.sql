-- +goose Up

-- Which transaction moved a chain last, on PostgreSQL: whoever keeps policies in
-- memory asks what moved since it looked. On SQLite there is one process, which
-- knows what it did; the number stays zero there.
alter table stream add column moved bigint not null default 0;
create index stream_moved on stream (moved);

-- The processes that answer from memory, on PostgreSQL. Each writes its own row
-- and nothing else, and its answers are as old as the last row that the database
-- confirmed.
create table decision_copy (
    id             text   not null,
    name           text   not null,
    version        text   not null,
    state          text   not null,
    started_micros bigint not null,
    seen_micros    bigint not null,
    lag_micros     bigint not null,
    organizations  bigint not null,
    bytes          bigint not null,
    constraint decision_copy_pk primary key (id)
);
