-- +goose Up

-- When somebody whose invitation had failed asked for a new one.
alter table link add column wanted_micros bigint not null default 0;
