-- +goose Up

-- The time of the last event of a chain, so that none is ever earlier than the
-- one before it, whatever a clock does.
alter table stream add column last_micros bigint not null default 0;

-- What decisions were made of, after every save that touched it: nothing in these
-- tables is ever changed or removed. A sequence is the number of the last event
-- of the save in its chain.

-- From where on a chain's past is known: from an event, and where there was none
-- yet, from a time. What was before is not.
create table past_known (
    institution_id  text   not null,
    organization_id text   not null,
    sequence        bigint not null,
    since_micros    bigint not null,
    constraint past_known_pk primary key (institution_id, organization_id, sequence)
);

create table past_institution (
    institution_id text   not null,
    sequence       bigint not null,
    state          bytea  not null,
    constraint past_institution_pk primary key (institution_id, sequence)
);

create table past_organization (
    organization_num bigint not null,
    sequence         bigint not null,
    state            bytea  not null,
    constraint past_organization_pk primary key (organization_num, sequence)
);

create table past_account (
    organization_num bigint  not null,
    ordinal          integer not null,
    sequence         bigint  not null,
    state            bytea   not null,
    constraint past_account_pk primary key (organization_num, ordinal, sequence)
);

-- A member with all their accounts; an empty state is of one who is gone.
create table past_member (
    organization_num bigint  not null,
    ordinal          integer not null,
    sequence         bigint  not null,
    state            bytea   not null,
    constraint past_member_pk primary key (organization_num, ordinal, sequence)
);

-- Where a member is or was: their number outlives them.
create table past_person (
    institution_id   text    not null,
    id               text    not null,
    organization_num bigint  not null,
    ordinal          integer not null,
    constraint past_person_pk primary key (institution_id, id)
);
create index past_person_number on past_person (organization_num, ordinal);

-- What was counted against daily limits and given back, in the order of the
-- organization's chain.
create table past_usage (
    institution_id  text     not null,
    organization_id text     not null,
    day             text     not null,
    limit_no        smallint not null,
    sequence        bigint   not null,
    member_id       text     not null,
    account_id      text     not null,
    cents           bigint   not null
);
create index past_usage_day on past_usage (institution_id, organization_id, day, limit_no, sequence);
