-- +goose Up

-- Whether a program may act for people. Keys that were made to ask questions
-- must not begin to move money, so it is false until somebody says otherwise.
alter table api_client add column acts_for_people boolean not null default false;
