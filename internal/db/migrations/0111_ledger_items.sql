-- +goose Up

-- What the host inside the program knows of Positive Pay: enrolled accounts,
-- the checks that customers issued, and what came in from clearing.
create table ledger_enrolled (
    institution_id text not null,
    account_id     text not null,
    constraint ledger_enrolled_pk primary key (institution_id, account_id)
);

create table ledger_issued (
    institution_id text    not null,
    account_id     text    not null,
    number         bigint  not null,
    cents          bigint  not null,
    payee          text    not null,
    void           boolean not null,
    paid           boolean not null,
    constraint ledger_issued_pk primary key (institution_id, account_id, number)
);

create table ledger_item (
    institution_id   text   not null,
    number           bigint not null,
    organization_id  text   not null,
    account_id       text   not null,
    kind             text   not null,
    day              text   not null,
    check_number     bigint not null,
    cents            bigint not null,
    payee            text   not null,
    mismatch         text   not null,
    company          text   not null,
    company_id       text   not null,
    class            text   not null,
    description      text   not null,
    trace            text   not null,
    outcome          text   not null,
    front            bytea  not null,
    back             bytea  not null,
    presented_micros bigint not null,
    constraint ledger_item_pk primary key (institution_id, number),
    constraint ledger_item_cents check (cents > 0),
    constraint ledger_item_outcome check (outcome in ('waiting', 'paid', 'returned'))
);
create index ledger_item_check on ledger_item (institution_id, account_id, check_number);

-- +goose Down
drop table ledger_item;
drop table ledger_issued;
drop table ledger_enrolled;
