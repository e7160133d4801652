-- +goose Up

-- Staff users of an institution and their groups. A staff user gets rights from
-- groups only; permissions are the names of the catalogue, with blanks between.
create table staff_group (
    institution_id      text   not null,
    id                  text   not null,
    name                text   not null,
    name_key            text   not null,
    description         text   not null,
    permissions         text   not null,
    second_factor_from  text   not null,
    reports_to          text   not null,
    approval_from       text   not null,
    version             bigint not null,
    created_micros      bigint not null,
    constraint staff_group_pk primary key (institution_id, id),
    constraint staff_group_name unique (institution_id, name_key),
    constraint staff_group_second_factor check (length(second_factor_from) in (0, 10)),
    constraint staff_group_reports_to check (reports_to <> id),
    constraint staff_group_approval check (approval_from in ('', 'one', 'everyone')),
    constraint staff_group_institution foreign key (institution_id) references institution (id)
);

create table staff_user (
    institution_id  text   not null,
    id              text   not null,
    first_name      text   not null,
    last_name       text   not null,
    name_key        text   not null,
    email           text   not null,
    email_key       text   not null,
    phone           text   not null,
    time_zone       text   not null,
    status          bigint not null,
    version         bigint not null,
    created_micros  bigint not null,
    constraint staff_user_pk primary key (institution_id, id),
    constraint staff_user_email unique (institution_id, email_key),
    constraint staff_user_status check (status in (0, 1, 2)),
    constraint staff_user_institution foreign key (institution_id) references institution (id)
);
create index staff_user_list on staff_user (institution_id, name_key, id);
create index staff_user_email_key on staff_user (email_key);

create table staff_membership (
    institution_id  text not null,
    staff_id        text not null,
    group_id        text not null,
    constraint staff_membership_pk primary key (institution_id, staff_id, group_id),
    constraint staff_membership_user foreign key (institution_id, staff_id) references staff_user (institution_id, id),
    constraint staff_membership_group foreign key (institution_id, group_id) references staff_group (institution_id, id)
);
create index staff_membership_group on staff_membership (institution_id, group_id, staff_id);
