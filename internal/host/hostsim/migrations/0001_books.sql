-- +goose Up

-- The simulator of a core: this database is a bank's own, and nothing of the
-- product stands in it. Names of accounts, organizations and people are the
-- bank's refs.

-- Where each institution's counting has come to. Whoever changes anything of an
-- institution counts first and so waits for whoever does.
create table core_book (
    institution_id text   not null,
    last_number    bigint not null,
    last_place     bigint not null,
    constraint core_book_pk primary key (institution_id)
);

create table core_organization (
    institution_id text   not null,
    ref            text   not null,
    version        bigint not null,
    name           text   not null,
    constraint core_organization_pk primary key (institution_id, ref)
);

create table core_account (
    institution_id  text    not null,
    id              text    not null,
    organization_id text    not null,
    name            text    not null,
    kind            text    not null,
    last_four       text    not null,
    number          text    not null,
    internal        boolean not null,
    closed          boolean not null,
    balance         bigint  not null,
    held            bigint  not null,
    floor           bigint  not null,
    constraint core_account_pk primary key (institution_id, id),
    constraint core_account_held check (held >= 0),
    constraint core_account_covered check (internal or balance - held >= floor)
);
create index core_account_organization on core_account (institution_id, organization_id, id);

create table core_order (
    institution_id  text   not null,
    order_key       text   not null,
    number          bigint not null,
    content_hash    bytea  not null,
    refused         text   not null,
    account_id      text   not null,
    user_ref        text   not null,
    user_version    bigint not null,
    answered_micros bigint not null,
    constraint core_order_pk primary key (institution_id, order_key)
);

create table core_line (
    institution_id text    not null,
    number         bigint  not null,
    place          integer not null,
    account_id     text    not null,
    cents          bigint  not null,
    after          bigint  not null,
    day            text    not null,
    memo           text    not null,
    posted_micros  bigint  not null,
    constraint core_line_pk primary key (institution_id, number, place),
    constraint core_line_cents check (cents <> 0),
    constraint core_line_account foreign key (institution_id, account_id) references core_account (institution_id, id)
);
create index core_line_account on core_line (institution_id, account_id, number);

create table core_hold (
    institution_id text    not null,
    order_key      text    not null,
    account_id     text    not null,
    cents          bigint  not null,
    open           boolean not null,
    constraint core_hold_pk primary key (institution_id, order_key),
    constraint core_hold_cents check (cents > 0)
);
create index core_hold_account on core_hold (institution_id, account_id);

create table core_stop (
    institution_id text   not null,
    order_key      text   not null,
    account_id     text   not null,
    first_check    bigint not null,
    last_check     bigint not null,
    cents          bigint not null,
    until_day      text   not null,
    constraint core_stop_pk primary key (institution_id, order_key),
    constraint core_stop_range check (last_check >= first_check)
);
create index core_stop_account on core_stop (institution_id, account_id, first_check);
create index core_stop_until on core_stop (institution_id, until_day);

-- Files that were taken, and what they hold. An empty day: not settled yet.
create table core_file (
    institution_id  text   not null,
    order_key       text   not null,
    number          bigint not null,
    name            text   not null,
    kind            text   not null,
    body            bytea  not null,
    day             text   not null,
    entries         bigint not null,
    credits         bigint not null,
    debits          bigint not null,
    received_micros bigint not null,
    settled_day     text   not null,
    constraint core_file_pk primary key (institution_id, order_key)
);
create index core_file_open on core_file (institution_id, settled_day, day);

create table core_enrolled (
    institution_id text not null,
    account_id     text not null,
    constraint core_enrolled_pk primary key (institution_id, account_id)
);

create table core_issued (
    institution_id text    not null,
    account_id     text    not null,
    number         bigint  not null,
    cents          bigint  not null,
    payee          text    not null,
    void           boolean not null,
    paid           boolean not null,
    constraint core_issued_pk primary key (institution_id, account_id, number)
);

create table core_item (
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
    constraint core_item_pk primary key (institution_id, number),
    constraint core_item_cents check (cents > 0),
    constraint core_item_outcome check (outcome in ('waiting', 'paid', 'returned'))
);
create index core_item_check on core_item (institution_id, account_id, check_number);

create table core_card (
    institution_id  text   not null,
    id              text   not null,
    organization_id text   not null,
    account_id      text   not null,
    holder          text   not null,
    kind            text   not null,
    last_four       text   not null,
    expires         text   not null,
    state           text   not null,
    changed_micros  bigint not null,
    replaces        text   not null,
    replacement     text   not null,
    constraint core_card_pk primary key (institution_id, id),
    constraint core_card_last_four check (length(last_four) = 4),
    constraint core_card_state check (state in ('ordered', 'active', 'locked', 'lost', 'stolen', 'replaced'))
);
create index core_card_list on core_card (institution_id, organization_id, account_id);

-- Business days that are over.
create table core_day (
    institution_id text   not null,
    day            text   not null,
    number         bigint not null,
    files          bigint not null,
    entries        bigint not null,
    cents          bigint not null,
    stops          bigint not null,
    closed_micros  bigint not null,
    constraint core_day_pk primary key (institution_id, day)
);

-- +goose Down
drop table core_day;
drop table core_card;
drop table core_item;
drop table core_issued;
drop table core_enrolled;
drop table core_file;
drop table core_stop;
drop table core_hold;
drop table core_line;
drop table core_order;
drop table core_account;
drop table core_organization;
drop table core_book;
