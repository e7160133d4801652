-- +goose Up

-- Who signs in is a subject: an organization user ("member") or a staff user
-- ("staff") of an institution.

create table credential (
    institution_id text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    username       text   not null,
    username_key   text   not null,
    password_hash  text   not null,
    version        bigint not null,
    created_micros bigint not null,
    changed_micros bigint not null,
    constraint credential_pk primary key (institution_id, subject_kind, subject_id),
    constraint credential_username unique (institution_id, subject_kind, username_key),
    constraint credential_kind check (subject_kind in ('member', 'staff'))
);

-- Attempts that count, per door. spent are those under way or wrong, wrong are
-- those that were evaluated and found wrong.
create table strike (
    institution_id text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    door           text   not null,
    spent          bigint not null,
    wrong          bigint not null,
    last_micros    bigint not null,
    noted_micros   bigint not null,
    constraint strike_pk primary key (institution_id, subject_kind, subject_id, door),
    constraint strike_kind check (subject_kind in ('member', 'staff')),
    constraint strike_count check (wrong >= 0 and spent >= wrong)
);

create table sign_in (
    institution_id text     not null,
    id             text     not null,
    subject_kind   text     not null,
    subject_id     text     not null,
    token_hash     bytea    not null,
    stage          smallint not null,
    factor         text     not null,
    channel        text     not null,
    ip             text     not null,
    device         text     not null,
    device_hash    bytea    not null,
    created_micros bigint   not null,
    seen_micros    bigint   not null,
    idle_micros    bigint   not null,
    ends_micros    bigint   not null,
    constraint sign_in_pk primary key (institution_id, id),
    constraint sign_in_token unique (institution_id, token_hash),
    constraint sign_in_kind check (subject_kind in ('member', 'staff')),
    constraint sign_in_stage check (stage in (0, 1, 2))
);
create index sign_in_subject on sign_in (institution_id, subject_kind, subject_id, created_micros);
create index sign_in_ends on sign_in (ends_micros);

-- Browsers that a subject has signed in with before.
create table known_device (
    institution_id text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    device_hash    bytea  not null,
    device         text   not null,
    first_micros   bigint not null,
    last_micros    bigint not null,
    constraint known_device_pk primary key (institution_id, subject_kind, subject_id, device_hash),
    constraint known_device_kind check (subject_kind in ('member', 'staff'))
);

