-- +goose Up

-- What a member would rather be called by the institution's staff.
alter table member add column preferred_name text not null default '';
