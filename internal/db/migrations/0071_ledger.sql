-- +goose Up

-- The host inside the program: double-entry books. No room reads these tables.
create table ledger_book (
    institution_id text   not null,
    last_number    bigint not null,
    constraint ledger_book_pk primary key (institution_id)
);

create table ledger_account (
    institution_id  text    not null,
    id              text    not null,
    organization_id text    not null,
    internal        boolean not null,
    balance         bigint  not null,
    held            bigint  not null,
    floor           bigint  not null,
    constraint ledger_account_pk primary key (institution_id, id),
    constraint ledger_account_held check (held >= 0),
    constraint ledger_account_covered check (internal or balance - held >= floor)
);

create table ledger_order (
    institution_id  text   not null,
    order_key       text   not null,
    number          bigint not null,
    content_hash    bytea  not null,
    refused         text   not null,
    account_id      text   not null,
    answered_micros bigint not null,
    constraint ledger_order_pk primary key (institution_id, order_key)
);

create table ledger_line (
    institution_id text    not null,
    number         bigint  not null,
    place          integer not null,
    account_id     text    not null,
    cents          bigint  not null,
    after          bigint  not null,
    day            text    not null,
    memo           text    not null,
    posted_micros  bigint  not null,
    constraint ledger_line_pk primary key (institution_id, number, place),
    constraint ledger_line_cents check (cents <> 0),
    constraint ledger_line_account foreign key (institution_id, account_id) references ledger_account (institution_id, id)
);
create index ledger_line_account on ledger_line (institution_id, account_id, number);

create table ledger_hold (
    institution_id text    not null,
    order_key      text    not null,
    account_id     text    not null,
    cents          bigint  not null,
    open           boolean not null,
    constraint ledger_hold_pk primary key (institution_id, order_key),
    constraint ledger_hold_cents check (cents > 0)
);
create index ledger_hold_account on ledger_hold (institution_id, account_id);

create table ledger_stop (
    institution_id text   not null,
    order_key      text   not null,
    account_id     text   not null,
    first_check    bigint not null,
    last_check     bigint not null,
    cents          bigint not null,
    until_day      text   not null,
    constraint ledger_stop_pk primary key (institution_id, order_key),
    constraint ledger_stop_range check (last_check >= first_check)
);
create index ledger_stop_account on ledger_stop (institution_id, account_id, first_check);

create table ledger_file (
    institution_id  text   not null,
    order_key       text   not null,
    name            text   not null,
    kind            text   not null,
    body            bytea  not null,
    received_micros bigint not null,
    constraint ledger_file_pk primary key (institution_id, order_key)
);
