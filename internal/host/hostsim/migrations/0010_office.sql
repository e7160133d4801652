-- +goose Up

-- What the bank's own screens keep: invitations to Classic, and which of the
-- bank's staff are signed in to BackOffice. Tokens are kept as hashes.
create table core_invitation (
    institution_id   text   not null,
    token_hash       bytea  not null,
    user_ref         text   not null,
    email            text   not null,
    asked_by         text   not null,
    issued_micros    bigint not null,
    expires_micros   bigint not null,
    completed_micros bigint not null,
    replaced_micros  bigint not null,
    constraint core_invitation_pk primary key (institution_id, token_hash),
    constraint core_invitation_of foreign key (institution_id, user_ref) references core_user (institution_id, ref)
);
create index core_invitation_user on core_invitation (institution_id, user_ref, issued_micros);

create table core_sign_in (
    institution_id text   not null,
    token_hash     bytea  not null,
    subject        text   not null,
    sign_in        text   not null,
    name           text   not null,
    email          text   not null,
    permissions    text   not null,
    ends_micros    bigint not null,
    constraint core_sign_in_pk primary key (institution_id, token_hash)
);
create index core_sign_in_end on core_sign_in (ends_micros);

-- +goose Down
drop table core_sign_in;
drop table core_invitation;
