-- +goose Up

-- Outside directories that keep staff users and the members of groups by SCIM.
-- reach is up to what rights a directory may act, as names of the catalogue with
-- blanks between, freely whether without another group's agreement, products
-- whether with whatever products declare; home is the group of those who have no
-- other.
create table staff_directory (
    institution_id  text    not null,
    client_id       text    not null,
    name            text    not null,
    home_group_id   text    not null,
    reach           text    not null,
    freely          boolean not null,
    products        boolean not null,
    created_micros  bigint  not null,
    constraint staff_directory_pk primary key (institution_id, client_id),
    constraint staff_directory_home foreign key (institution_id, home_group_id) references staff_group (institution_id, id)
);

-- What a directory calls a user or a group. It is its own mark, and says nothing
-- to us.
create table staff_external (
    institution_id  text not null,
    client_id       text not null,
    kind            text not null,
    local_id        text not null,
    external_id     text not null,
    constraint staff_external_pk primary key (institution_id, client_id, kind, local_id),
    constraint staff_external_kind check (kind in ('user', 'group')),
    constraint staff_external_directory foreign key (institution_id, client_id) references staff_directory (institution_id, client_id)
);
create index staff_external_id on staff_external (institution_id, client_id, kind, external_id);
create index staff_external_local on staff_external (institution_id, local_id);

-- Somebody whom a directory switched off can do nothing until it switches them
-- on again; what they were before is kept.
alter table staff_user add column deactivated boolean not null default false;
