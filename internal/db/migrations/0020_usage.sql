-- +goose Up

-- What a payment counts against a daily limit. One row per payment, kept when
-- it is given back: an id never counts a second time.
create table usage_reservation (
    institution_id  text     not null,
    organization_id text     not null,
    id              text     not null,
    limit_no        smallint not null,
    day             text     not null,
    member_id       text     not null,
    account_id      text     not null,
    cents           bigint   not null,
    released        boolean  not null,
    constraint usage_reservation_pk primary key (institution_id, organization_id, id),
    constraint usage_reservation_cents check (cents > 0),
    constraint usage_reservation_day check (length(day) = 10)
);

-- The sums of what is reserved: of a member on an account, of a member (empty
-- account), and of all members (both empty).
create table usage_counter (
    institution_id  text     not null,
    organization_id text     not null,
    day             text     not null,
    limit_no        smallint not null,
    member_id       text     not null,
    account_id      text     not null,
    cents           bigint   not null,
    constraint usage_counter_pk primary key (institution_id, organization_id, day, limit_no, member_id, account_id),
    constraint usage_counter_never_negative check (cents >= 0),
    constraint usage_counter_fits check (cents <= 4000000000000000000)
);
