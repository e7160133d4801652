-- +goose Up

-- When the history was told that an invitation had expired; zero where it was
-- not.
alter table link add column expired_micros bigint not null default 0;
create index link_overdue on link (expires_micros, token_hash) where completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0 and redeemed_micros = 0
    and refused_micros = 0 and expired_micros = 0;

-- A high-risk authorization that somebody was asked for and has not given yet.
-- It ends with the sign-in.
create table proof_asked (
    institution_id text   not null,
    sign_in_id     text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    action         text   not null,
    target         text   not null,
    content_hash   bytea  not null,
    asked_micros   bigint not null,
    constraint proof_asked_pk primary key (institution_id, sign_in_id, action, target, content_hash),
    constraint proof_asked_sign_in foreign key (institution_id, sign_in_id) references sign_in (institution_id, id) on delete cascade
);
create index proof_asked_overdue on proof_asked (asked_micros);
