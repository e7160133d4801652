-- +goose Up
create unique index shop_open_name_uq on shop (name) where open;
