-- +goose Up

-- Sign-ins at products. An issuer is the institution whose name stands in the
-- tokens; '' is the neutral one, at which people choose an institution.

-- Keys that sign tokens. The private half is sealed; the public half stays
-- after the key was retired, for what was signed with it.
create table signing_key (
    issuer           text   not null,
    id               text   not null,
    state            text   not null,
    public_key       bytea  not null,
    sealed           bytea  not null,
    created_micros   bigint not null,
    activated_micros bigint not null,
    retired_micros   bigint not null,
    constraint signing_key_pk primary key (issuer, id),
    constraint signing_key_state check (state in ('next', 'active', 'retiring', 'retired'))
);
create unique index signing_key_active on signing_key (issuer) where state = 'active';

-- Somebody at the door with a product's request: until they are in or were
-- refused. It is known by the hash of its name, and may have come by the back
-- channel, under another one.
create table authorization_request (
    issuer         text   not null,
    name_hash      bytea  not null,
    pushed_hash    bytea  not null,
    browser_hash   bytea  not null,
    client_id      text   not null,
    status         text   not null,
    body           bytea  not null,
    version        bigint not null,
    created_micros bigint not null,
    expires_micros bigint not null,
    constraint authorization_request_pk primary key (issuer, name_hash)
);
create index authorization_request_pushed on authorization_request (issuer, pushed_hash);
create index authorization_request_expires on authorization_request (expires_micros);

-- What an application got from somebody, or from itself: staff_id is empty
-- then. Codes and refresh tokens are hashes.
create table sign_in_grant (
    issuer                 text   not null,
    id                     text   not null,
    client_id              text   not null,
    institution_id         text   not null,
    staff_id               text   not null,
    sign_in_id             text   not null,
    scopes                 text   not null,
    code_hash              bytea  not null,
    code_expires_micros    bigint not null,
    code_used_micros       bigint not null,
    refresh_hash           bytea  not null,
    refresh_expires_micros bigint not null,
    ends_micros            bigint not null,
    ended_micros           bigint not null,
    ended_why              text   not null,
    body                   bytea  not null,
    version                bigint not null,
    created_micros         bigint not null,
    used_micros            bigint not null,
    constraint sign_in_grant_pk primary key (issuer, id)
);
create index sign_in_grant_code on sign_in_grant (issuer, code_hash);
create index sign_in_grant_refresh on sign_in_grant (issuer, refresh_hash);
create index sign_in_grant_staff on sign_in_grant (institution_id, staff_id, ended_micros);
create index sign_in_grant_client on sign_in_grant (institution_id, client_id, ended_micros);
create index sign_in_grant_ends on sign_in_grant (ends_micros);

-- Refresh tokens that were exchanged: whoever brings one has stolen it, or was
-- robbed.
create table spent_refresh (
    issuer       text   not null,
    token_hash   bytea  not null,
    grant_id     text   not null,
    spent_micros bigint not null,
    constraint spent_refresh_pk primary key (issuer, token_hash)
);
create index spent_refresh_grant on spent_refresh (issuer, grant_id);

create table access_token (
    issuer         text   not null,
    id             text   not null,
    grant_id       text   not null,
    body           bytea  not null,
    expires_micros bigint not null,
    ended_micros   bigint not null,
    constraint access_token_pk primary key (issuer, id)
);
create index access_token_grant on access_token (issuer, grant_id);
create index access_token_expires on access_token (expires_micros);

-- Names of proofs and assertions that were shown once already.
create table seen_proof (
    issuer         text   not null,
    name_hash      bytea  not null,
    expires_micros bigint not null,
    constraint seen_proof_pk primary key (issuer, name_hash)
);
create index seen_proof_expires on seen_proof (expires_micros);

-- What somebody allowed an application to learn of them.
create table application_consent (
    institution_id text   not null,
    staff_id       text   not null,
    client_id      text   not null,
    product        text   not null,
    scopes         text   not null,
    given_micros   bigint not null,
    constraint application_consent_pk primary key (institution_id, staff_id, client_id)
);
