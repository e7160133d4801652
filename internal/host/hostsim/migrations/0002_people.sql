-- +goose Up

-- The customers' people as the bank has them. Permissions and accounts are JSON
-- objects, named as imports name them.
create table core_user (
    institution_id  text    not null,
    ref             text    not null,
    organization_id text    not null,
    member_id       text    not null,
    version         bigint  not null,
    first_name      text    not null,
    last_name       text    not null,
    email           text    not null,
    username        text    not null,
    role            text    not null,
    status          text    not null,
    held            boolean not null,
    deleted         boolean not null,
    permissions     text    not null,
    accounts        text    not null,
    folded          text    not null,
    created_micros  bigint  not null,
    changed_micros  bigint  not null,
    constraint core_user_pk primary key (institution_id, ref),
    constraint core_user_role check (role in ('user', 'viewer', 'admin')),
    constraint core_user_status check (status in ('pending', 'active', 'locked', 'disabled')),
    constraint core_user_organization foreign key (institution_id, organization_id) references core_organization (institution_id, ref)
);
create index core_user_list on core_user (institution_id, organization_id, ref);
create unique index core_user_member on core_user (institution_id, member_id) where member_id <> '';

create table core_default (
    institution_id text   not null,
    role           text   not null,
    version        bigint not null,
    permissions    text   not null,
    constraint core_default_pk primary key (institution_id, role)
);

-- What changed, and what was told of it. An event is told from a moment on, and
-- stands in the telling at one place, or at several.
create table core_event (
    institution_id text    not null,
    number         bigint  not null,
    at_micros      bigint  not null,
    due_micros     bigint  not null,
    channel        text    not null,
    changed_by     text    not null,
    order_key      text    not null,
    kind           text    not null,
    ref            text    not null,
    body           text    not null,
    told           boolean not null,
    constraint core_event_pk primary key (institution_id, number),
    constraint core_event_kind check (kind in ('announced', 'user', 'organization', 'defaults'))
);
create index core_event_untold on core_event (institution_id, due_micros) where not told;
create index core_event_about on core_event (institution_id, ref, number);

create table core_told (
    institution_id text   not null,
    place          bigint not null,
    number         bigint not null,
    constraint core_told_pk primary key (institution_id, place),
    constraint core_told_event foreign key (institution_id, number) references core_event (institution_id, number)
);

-- +goose Down
drop table core_told;
drop table core_event;
drop table core_default;
drop table core_user;
