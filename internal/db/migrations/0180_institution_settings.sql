-- +goose Up

-- From which day of the institution on a second factor is required of the
-- members whom second_factor names (empty: since ever), and of all its staff
-- (empty: only where one of their groups asks for it).
alter table institution add column second_factor_from text not null default '';
alter table institution add column staff_factor_from text not null default '';

-- The logo of an institution, drawn by the product: a PNG that fits a square.
create table institution_logo (
    institution_id text   not null,
    etag           text   not null,
    picture        bytea  not null,
    set_micros     bigint not null,
    constraint institution_logo_pk primary key (institution_id),
    constraint institution_logo_institution foreign key (institution_id) references institution (id)
);
