-- +goose Up

-- The external application that acts as a directory beside its key: what it is
-- given at the token endpoint is taken for the directory's; empty: none.
alter table staff_directory add column application_id text not null default '';
create unique index staff_directory_application on staff_directory (institution_id, application_id) where application_id <> '';
