-- +goose Up

-- Numbers that are handed out once and never again.
create table counter (
    name  text   not null,
    value bigint not null,
    constraint counter_pk primary key (name)
);

create table institution (
    id             text     not null,
    name           text     not null,
    edition        smallint not null,
    time_zone      text     not null,
    offers         bigint   not null,
    accent         text     not null,
    second_factor  smallint not null default 0,
    created_micros bigint   not null,
    constraint institution_pk primary key (id),
    constraint institution_edition check (edition in (0, 1))
);

-- One row per chain of changes: an organization's, or the institution's own
-- under an empty organization. Whoever changes anything locks this row first.
create table stream (
    institution_id  text   not null,
    organization_id text   not null,
    revision        bigint not null,
    sequence        bigint not null,
    head            bytea  not null,
    constraint stream_pk primary key (institution_id, organization_id)
);

create table history_event (
    institution_id  text     not null,
    organization_id text     not null,
    sequence        bigint   not null,
    id              text     not null,
    time_micros     bigint   not null,
    name            text     not null,
    save_id         text     not null,
    revision        bigint   not null,
    refused         boolean  not null,
    code            text     not null,
    actor_kind      text     not null,
    actor_id        text     not null,
    actor_name      text     not null,
    channel         text     not null,
    ip              text     not null,
    device          text     not null,
    target_kind     text     not null,
    target_id       text     not null,
    target_name     text     not null,
    note            text     not null,
    changes         text     not null,
    hash            bytea    not null,
    constraint history_event_pk primary key (institution_id, organization_id, sequence)
);
create index history_event_target on history_event (institution_id, organization_id, target_id, sequence);
create index history_event_actor on history_event (institution_id, organization_id, actor_id, sequence);
create index history_event_time on history_event (institution_id, time_micros);

create table organization (
    institution_id     text   not null,
    id                 text   not null,
    num                bigint not null,
    external_id        text   not null,
    name               text   not null,
    name_key           text   not null,
    address            text   not null,
    phone              text   not null,
    email              text   not null,
    entitlements       bigint not null,
    ceiling_ach_daily  bigint,
    ceiling_ach_batch  bigint,
    ceiling_transfer   bigint,
    ceiling_wire       bigint,
    ceiling_wires_day  bigint,
    ceiling_wires_dual bigint,
    last_account       bigint not null,
    last_member        bigint not null,
    created_micros     bigint not null,
    constraint organization_pk primary key (institution_id, id),
    constraint organization_num unique (num),
    constraint organization_external_id unique (institution_id, external_id),
    constraint organization_institution foreign key (institution_id) references institution (id)
);
create index organization_name on organization (institution_id, name_key, id);

-- Accounts and members are numbered within their organization, so that a
-- member-account is a row of small integers. A number is never given again.
create table account (
    organization_num bigint   not null,
    ordinal          integer  not null,
    id               text     not null,
    external_id      text     not null,
    name             text     not null,
    name_key         text     not null,
    number           text     not null,
    kind             text     not null,
    off              bigint   not null,
    created_micros   bigint   not null,
    constraint account_pk primary key (organization_num, ordinal),
    constraint account_id unique (organization_num, id),
    constraint account_external_id unique (organization_num, external_id),
    constraint account_organization foreign key (organization_num) references organization (num)
);
create index account_name on account (organization_num, name_key, ordinal);

create table member (
    institution_id   text     not null,
    organization_num bigint   not null,
    ordinal          integer  not null,
    id               text     not null,
    external_id      text     not null,
    first_name       text     not null,
    last_name        text     not null,
    name_key         text     not null,
    email            text     not null,
    email_key        text     not null,
    username         text     not null,
    username_key     text     not null,
    role             smallint not null,
    status           smallint not null,
    held             boolean  not null,
    switches         bigint   not null,
    edit_level       smallint not null,
    ach_daily        bigint,
    ach_batch        bigint,
    transfer         bigint,
    wire             bigint,
    wires_day        bigint,
    wires_dual       bigint,
    version          bigint   not null,
    no_raise_micros  bigint   not null default 0,
    created_micros   bigint   not null,
    constraint member_pk primary key (organization_num, ordinal),
    constraint member_id unique (organization_num, id),
    constraint member_external_id unique (organization_num, external_id),
    constraint member_organization foreign key (organization_num) references organization (num),
    constraint member_role check (role between 0 and 2),
    constraint member_status check (status between 0 and 3),
    constraint member_edit_level check (edit_level between 0 and 2)
);

-- What the host gives to a new member of a role.
create table default_settings (
    institution_id text     not null,
    role           smallint not null,
    switches       bigint   not null,
    edit_level     smallint not null,
    ach_daily      bigint,
    ach_batch      bigint,
    transfer       bigint,
    wire           bigint,
    wires_day      bigint,
    wires_dual     bigint,
    constraint default_settings_pk primary key (institution_id, role)
);
-- Lists find their page on this index alone.
create index member_list on member (organization_num, name_key, ordinal, email_key, username_key, role, status, held);
create index member_usable_admin on member (organization_num, ordinal) where role = 2 and status = 1 and not held;
create unique index member_institution_id on member (institution_id, id);
create index member_email_key on member (institution_id, email_key);
create unique index member_email on member (organization_num, email_key) where email_key <> '';
create unique index member_username on member (institution_id, username_key) where username_key <> '';

create table member_account (
    organization_num bigint  not null,
    member_ordinal   integer not null,
    account_ordinal  integer not null,
    switches         bigint  not null,
    wire             bigint,
    wires_day        bigint,
    wires_dual       bigint,
    constraint member_account_pk primary key (organization_num, member_ordinal, account_ordinal),
    constraint member_account_member foreign key (organization_num, member_ordinal) references member (organization_num, ordinal) on delete cascade,
    constraint member_account_account foreign key (organization_num, account_ordinal) references account (organization_num, ordinal)
);
create index member_account_account on member_account (organization_num, account_ordinal, member_ordinal);
