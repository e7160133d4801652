-- +goose Up

-- External applications: products that let staff users sign in through us, and
-- services that act for one of them. Without an institution (an empty id) they
-- belong to the issuer where people choose their institution. Addresses are one
-- a line; scopes and grants have blanks between. Secrets are SHA-256; the old
-- one works until its end. A moment of 0 has not come.
create table external_application (
    institution_id         text    not null,
    id                     text    not null,
    name                   text    not null,
    name_key               text    not null,
    partner                text    not null,
    auth_method            text    not null,
    grants                 text    not null,
    redirects              text    not null,
    post_logouts           text    not null,
    back_channel_logout    text    not null,
    scopes                 text    not null,
    keys                   text    not null,
    claims_groups          boolean not null,
    claims_permissions     boolean not null,
    consent                boolean not null,
    service_staff_id       text    not null,
    enabled                boolean not null,
    secret_hash            bytea   not null,
    secret_micros          bigint  not null,
    old_secret_hash        bytea   not null,
    old_secret_ends_micros bigint  not null,
    last_used_micros       bigint  not null,
    created_micros         bigint  not null,
    revision               bigint  not null,
    constraint external_application_pk primary key (institution_id, id),
    constraint external_application_name unique (institution_id, name_key),
    constraint external_application_auth check (auth_method in ('client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    constraint external_application_secret check ((auth_method = 'private_key_jwt') = (length(secret_hash) = 0)),
    constraint external_application_neutral check (institution_id <> '' or service_staff_id = '')
);
