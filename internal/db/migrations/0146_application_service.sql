-- +goose Up

-- A service is said to act for somebody by their address, which is what people
-- read; who that was stays the id beside it, whoever gets the address later.
alter table external_application add column service_email text not null default '';
