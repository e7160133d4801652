-- +goose Up

-- Files that people brought in: NACHA files while they are read, and lists of
-- recipients between their preview and the word that they are meant.
create table ach_inbox (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    member_id       text    not null,
    member_name     text    not null,
    form            text    not null,
    batch_id        text    not null,
    name            text    not null,
    category_id     text    not null,
    restricted      boolean not null,
    replaces        boolean not null,
    body            bytea   not null,
    size            bigint  not null,
    bytes_read      bigint  not null,
    entries_read    bigint  not null,
    state           text    not null,
    outcome         text    not null,
    at_micros       bigint  not null,
    constraint ach_inbox_pk primary key (institution_id, organization_id, id),
    constraint ach_inbox_form check (form in ('nacha', 'fixed', 'csv', 'tab')),
    constraint ach_inbox_state check (state in ('reading', 'waiting', 'refused', 'done'))
);
create index ach_inbox_at on ach_inbox (at_micros);

-- +goose Down
drop table ach_inbox;
