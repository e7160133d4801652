-- +goose Up

-- The OpenID provider outside through which an institution's staff may sign in.
-- secret is sealed; factors are the words of amr or acr that count as a second
-- factor, with blanks between (empty: none does); vouches says that its
-- addresses need no word of its own that they were checked.
create table outside_provider (
    institution_id  text    not null,
    issuer          text    not null,
    client_id       text    not null,
    secret          bytea   not null,
    label           text    not null,
    subject_claim   text    not null,
    email_claim     text    not null,
    vouches         boolean not null,
    factors         text    not null,
    version         bigint  not null,
    changed_micros  bigint  not null,
    constraint outside_provider_pk primary key (institution_id)
);

-- Whom the provider calls by which name, as found out at their first sign-in
-- through it. email is the address that linked them, and says nothing later.
create table outside_subject (
    institution_id  text   not null,
    subject_kind    text   not null,
    subject_id      text   not null,
    issuer          text   not null,
    outside_id      text   not null,
    email           text   not null,
    linked_micros   bigint not null,
    used_micros     bigint not null,
    constraint outside_subject_pk primary key (institution_id, subject_kind, subject_id),
    constraint outside_subject_once unique (institution_id, issuer, outside_id),
    constraint outside_subject_kind check (subject_kind = 'staff')
);

-- Sign-ins that browsers have taken to the provider and not brought back. Each
-- comes back once, in the same browser.
create table outside_request (
    institution_id    text   not null,
    state_hash        bytea  not null,
    browser_hash      bytea  not null,
    provider_version  bigint not null,
    back              text   not null,
    expires_micros    bigint not null,
    constraint outside_request_pk primary key (institution_id, state_hash)
);
create index outside_request_expires on outside_request (expires_micros);

-- The issuer through which a sign-in was opened; empty: here.
alter table sign_in add column outside text not null default '';

-- A credential whose password nobody has chosen: its person came in through the
-- provider, and nothing that could be typed is right.
alter table credential add column unset boolean not null default false;

-- The rights to sign in begin to count when an institution connects a provider.
-- Groups that may do everything keep everything, so that whoever administers can
-- give these too.
update staff_group set permissions = permissions || ' staff.signin.mandate staff.signin.outside'
 where permissions like '%staff.users.invite%' and permissions like '%staff.groups.create%' and permissions like '%staff.groups.edit%'
   and permissions like '%staff.users.assign_groups%' and permissions like '%institution.settings.manage%';
