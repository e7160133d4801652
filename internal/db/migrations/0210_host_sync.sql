-- +goose Up

-- What is known of the host's side of each organization user: how the host names
-- them, the version of theirs that was last taken over with a digest of it, and
-- the orders about them that the host has not been heard to have told of yet.
create table host_link (
    institution_id  text    not null,
    user_id         text    not null,
    organization_id text    not null,
    ref             text    not null,
    version         bigint  not null,
    content         bytea   not null,
    gone            boolean not null,
    orders          text    not null,
    constraint host_link_pk primary key (institution_id, user_id)
);
create index host_link_ref on host_link (institution_id, ref);
create index host_link_organization on host_link (institution_id, organization_id) where orders <> '[]';

-- The same of organizations and of a role's default permissions.
create table host_stated (
    institution_id text   not null,
    kind           text   not null,
    ref            text   not null,
    version        bigint not null,
    content        bytea  not null,
    constraint host_stated_pk primary key (institution_id, kind, ref)
);

-- How far the host's events were read.
create table host_feed (
    institution_id text   not null,
    mark           text   not null,
    told           bigint not null,
    read_micros    bigint not null,
    constraint host_feed_pk primary key (institution_id)
);

-- What the host told, one row for each event, and what became of it.
create table host_arrival (
    institution_id   text   not null,
    id               text   not null,
    place            bigint not null,
    kind             text   not null,
    subject          text   not null,
    organization_ref text   not null,
    version          bigint not null,
    channel          text   not null,
    made_by          text   not null,
    made_micros      bigint not null,
    arrived_micros   bigint not null,
    settled_micros   bigint not null,
    content          bytea  not null,
    digest           bytea  not null,
    state            text   not null,
    code             text   not null,
    note             text   not null,
    constraint host_arrival_pk primary key (institution_id, id),
    constraint host_arrival_state check (state in ('waiting', 'done', 'old', 'parked', 'aside'))
);
create index host_arrival_open on host_arrival (institution_id, state, kind, place);
create index host_arrival_subject on host_arrival (institution_id, subject, state);
create index host_arrival_organization on host_arrival (institution_id, organization_ref, state);

-- People whom the host announced and has not told of yet.
create table host_announced (
    institution_id  text   not null,
    ref             text   not null,
    organization_id text   not null,
    first_name      text   not null,
    last_name       text   not null,
    at_micros       bigint not null,
    constraint host_announced_pk primary key (institution_id, ref)
);
create index host_announced_organization on host_announced (institution_id, organization_id, at_micros);
