-- +goose Up

-- Who does a piece of background work now. The fence rises with every taking
-- by somebody else.
create table work_lease (
    name         text   not null,
    holder       text   not null,
    fence        bigint not null,
    until_micros bigint not null,
    constraint work_lease_pk primary key (name)
);
