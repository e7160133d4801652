-- +goose Up

-- What a staff user looks for in Activity again and again: an address's query
-- under a name of their own.
create table staff_filter (
    institution_id text   not null,
    staff_id       text   not null,
    name           text   not null,
    name_key       text   not null,
    query          text   not null,
    kept_micros    bigint not null,
    constraint staff_filter_pk primary key (institution_id, staff_id, name_key),
    constraint staff_filter_user foreign key (institution_id, staff_id) references staff_user (institution_id, id) on delete cascade
);
