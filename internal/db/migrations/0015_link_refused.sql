-- +goose Up

-- When the mail server refused the mail of a link for good; zero where it did
-- not.
alter table link add column refused_micros bigint not null default 0;
