-- +goose Up

-- A high-risk authorization: for one action on one target with one content, by
-- one sign-in, with which it ends.
create table proof (
    institution_id text   not null,
    sign_in_id     text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    action         text   not null,
    target         text   not null,
    content_hash   bytea  not null,
    expires_micros bigint not null,
    constraint proof_pk primary key (institution_id, sign_in_id, action, target, content_hash),
    constraint proof_sign_in foreign key (institution_id, sign_in_id) references sign_in (institution_id, id) on delete cascade
);
