-- +goose Up

-- Since when a client is kept out, because a restore may have made keys good again
-- that had ended; 0: it is not.
alter table api_client add column held_micros bigint not null default 0;
