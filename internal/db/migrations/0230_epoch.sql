-- +goose Up

-- One row: the life of this database. A restored backup begins another one, so
-- that what was promised in the life before is recognized.
create table epoch (
    one    smallint not null,
    number bigint   not null,
    constraint epoch_pk primary key (one),
    constraint epoch_one check (one = 1)
);
insert into epoch (one, number) values (1, 1);
