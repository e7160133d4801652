-- +goose Up

-- Whether a program is the institution's host: it signs people in to Classic,
-- makes their credentials and hands them on to Online.
alter table api_client add column is_host boolean not null default false;

-- Tickets from Classic to Online, each for one person, once, for a minute.
create table sign_on (
    institution_id text   not null,
    ticket_hash    bytea  not null,
    member_id      text   not null,
    sign_in_id     text   not null,
    ends_micros    bigint not null,
    constraint sign_on_pk primary key (institution_id, ticket_hash)
);
create index sign_on_end on sign_on (ends_micros);
