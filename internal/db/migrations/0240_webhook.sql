-- +goose Up

-- Where an institution's receivers hear of what happened. kinds, names and
-- organizations have blanks between; empty: all. secret is sealed. due_micros is
-- before which nothing is sent; whoever sends holds the lease until its end, and
-- its end is who they are.
create table webhook_endpoint (
    institution_id    text    not null,
    id                text    not null,
    name              text    not null,
    name_key          text    not null,
    url               text    not null,
    kinds             text    not null,
    names             text    not null,
    organizations     text    not null,
    state             text    not null,
    secret            bytea   not null,
    old_secret        bytea   not null,
    old_ends_micros   bigint  not null,
    created_micros    bigint  not null,
    revision          bigint  not null,
    due_micros        bigint  not null,
    lease_micros      bigint  not null,
    failed            bigint  not null,
    failing_micros    bigint  not null,
    succeeded_micros  bigint  not null,
    answer            text    not null,
    told_micros       bigint  not null,
    constraint webhook_endpoint_pk primary key (institution_id, id),
    constraint webhook_endpoint_name unique (institution_id, name_key),
    constraint webhook_endpoint_state check (state in ('active', 'paused', 'gone', 'failing'))
);

-- What each endpoint is told, in the order of number. The body is what is sent,
-- byte for byte.
create table webhook_delivery (
    institution_id  text    not null,
    endpoint_id     text    not null,
    id              text    not null,
    number          bigint  not null,
    name            text    not null,
    body            bytea   not null,
    state           text    not null,
    attempts        bigint  not null,
    due_micros      bigint  not null,
    created_micros  bigint  not null,
    settled_micros  bigint  not null,
    answer          text    not null,
    constraint webhook_delivery_pk primary key (institution_id, endpoint_id, id),
    constraint webhook_delivery_endpoint foreign key (institution_id, endpoint_id)
        references webhook_endpoint (institution_id, id) on delete cascade,
    constraint webhook_delivery_state check (state in ('waiting', 'done', 'dead'))
);
create index webhook_delivery_number on webhook_delivery (institution_id, endpoint_id, number);
create index webhook_delivery_waiting on webhook_delivery (institution_id, endpoint_id, number) where state = 'waiting';
create index webhook_delivery_dead on webhook_delivery (institution_id, endpoint_id) where state = 'dead';
create index webhook_delivery_old on webhook_delivery (created_micros);
