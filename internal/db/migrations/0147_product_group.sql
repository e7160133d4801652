-- +goose Up

-- What a product declares through its external application: a numbered set of
-- permissions, as JSON. A group that names a product holds rights of that
-- product only, their names with blanks between, and none of the console's.
create table staff_product (
    institution_id  text   not null,
    application_id  text   not null,
    name            text   not null,
    version         bigint not null,
    permissions     text   not null,
    declared_micros bigint not null,
    constraint staff_product_pk primary key (institution_id, application_id),
    constraint staff_product_institution foreign key (institution_id) references institution (id)
);
alter table staff_group add column product text not null default '';
alter table staff_group add column product_rights text not null default '';
