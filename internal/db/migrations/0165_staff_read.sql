-- +goose Up

-- Which profiles a staff user has opened of late. It keeps the history from
-- telling the same twice; what is older than an hour is removed.
create table staff_read (
    institution_id  text   not null,
    staff_id        text   not null,
    organization_id text   not null,
    target_id       text   not null,
    read_micros     bigint not null,
    constraint staff_read_pk primary key (institution_id, staff_id, organization_id, target_id)
);
