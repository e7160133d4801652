-- +goose Up
create table shop (
    id   text not null,
    name text not null,
    open boolean not null,
    constraint shop_pk primary key (id)
);

create table item (
    shop_id text   not null constraint item_shop_fk references shop (id),
    sku     text   not null, -- unique (within, a shop)
    cents   bigint not null constraint item_cents_check check (cents >= 0),
    picture bytea,
    constraint item_sku_uq unique (shop_id, sku)
);

create table visit (
    shop_id text not null,
    constraint visit_shop_fk foreign key (shop_id) references shop (id) deferrable initially deferred
);
