-- +goose Up

-- What a subject shows besides a password. secret is sealed for its row.
create table second_factor (
    institution_id text    not null,
    subject_kind   text    not null,
    subject_id     text    not null,
    id             text    not null,
    method         text    not null,
    name           text    not null,
    secret         bytea   not null,
    lookup         bytea   not null,
    last_step      bigint  not null,
    confirmed      boolean not null,
    created_micros bigint  not null,
    used_micros    bigint  not null,
    constraint second_factor_pk primary key (institution_id, subject_kind, subject_id, id),
    constraint second_factor_kind check (subject_kind in ('member', 'staff')),
    constraint second_factor_method check (method in ('totp', 'passkey'))
);
create unique index second_factor_lookup on second_factor (institution_id, lookup) where method = 'passkey';

create table recovery_code (
    institution_id text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    code_hash      bytea  not null,
    created_micros bigint not null,
    constraint recovery_code_pk primary key (institution_id, subject_kind, subject_id, code_hash),
    constraint recovery_code_kind check (subject_kind in ('member', 'staff'))
);

-- A question put to a browser with a passkey, waiting for its answer.
create table ceremony (
    institution_id text   not null,
    sign_in_id     text   not null,
    purpose        text   not null,
    question       text   not null,
    expires_micros bigint not null,
    constraint ceremony_pk primary key (institution_id, sign_in_id, purpose),
    constraint ceremony_sign_in foreign key (institution_id, sign_in_id) references sign_in (institution_id, id) on delete cascade
);
