-- +goose Up

-- What an institution does with exceptions that nobody decided, and from when
-- they can be worked.
create table arp_settings (
    institution_id text    not null,
    check_default  text    not null,
    ach_default    text    not null,
    early          boolean not null,
    constraint arp_settings_pk primary key (institution_id),
    constraint arp_settings_default check (check_default in ('pay', 'return') and ach_default in ('pay', 'return'))
);

-- Accounts that the institution has enrolled.
create table arp_account (
    institution_id  text    not null,
    organization_id text    not null,
    account_id      text    not null,
    enrolled        boolean not null,
    changes         bigint  not null,
    constraint arp_account_pk primary key (institution_id, organization_id, account_id)
);

-- How an organization's own lists of issued checks are read.
create table arp_layout (
    institution_id  text   not null,
    organization_id text   not null,
    format          text   not null,
    layout          text   not null,
    by_name         text   not null,
    at_micros       bigint not null,
    constraint arp_layout_pk primary key (institution_id, organization_id, format)
);

create table arp_file (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    account_id      text    not null,
    name            text    not null,
    name_key        text    not null,
    source          text    not null,
    state           text    not null,
    checks          integer not null,
    voids           integer not null,
    cents           bigint  not null,
    content_hash    text    not null,
    by_id           text    not null,
    by_name         text    not null,
    approver_id     text    not null,
    approver_name   text    not null,
    created_micros  bigint  not null,
    approved_micros bigint  not null,
    settled_micros  bigint  not null,
    attempt         integer not null,
    reference       text    not null,
    code            text    not null,
    problem         text    not null,
    constraint arp_file_pk primary key (institution_id, organization_id, id),
    constraint arp_file_state check (state in ('unapproved', 'pending', 'successful', 'rejected', 'deleted'))
);
create index arp_file_list on arp_file (institution_id, organization_id, created_micros, id);

-- The lines of these files: checks that were issued, and checks that are void.
create table arp_issue (
    institution_id  text    not null,
    organization_id text    not null,
    file_id         text    not null,
    line            integer not null,
    account_id      text    not null,
    number          bigint  not null,
    cents           bigint  not null,
    payee           text    not null,
    payee_key       text    not null,
    day             text    not null,
    void            boolean not null,
    state           text    not null,
    done_day        text    not null,
    constraint arp_issue_pk primary key (institution_id, organization_id, file_id, line),
    constraint arp_issue_file foreign key (institution_id, organization_id, file_id) references arp_file (institution_id, organization_id, id),
    constraint arp_issue_number check (number > 0),
    constraint arp_issue_cents check (cents > 0 or void),
    constraint arp_issue_state check (state in ('unapproved', 'pending', 'outstanding', 'paid', 'voided', 'taken', 'rejected', 'deleted'))
);
-- A check of an account is issued once.
create unique index arp_issue_once on arp_issue (institution_id, organization_id, account_id, number)
    where not void and state not in ('rejected', 'deleted');
create index arp_issue_list on arp_issue (institution_id, organization_id, day, account_id, number);

-- What came in against enrolled accounts: checks that matched, and exceptions.
create table arp_item (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    host_id         text    not null,
    account_id      text    not null,
    kind            text    not null,
    day             text    not null,
    number          bigint  not null,
    cents           bigint  not null,
    payee           text    not null,
    payee_key       text    not null,
    mismatch        text    not null,
    company         text    not null,
    company_id      text    not null,
    class           text    not null,
    description     text    not null,
    trace           text    not null,
    sides           text    not null,
    state           text    not null,
    reason          text    not null,
    note            text    not null,
    by_kind         text    not null,
    by_id           text    not null,
    by_name         text    not null,
    created_micros  bigint  not null,
    decided_micros  bigint  not null,
    settled_micros  bigint  not null,
    attempt         integer not null,
    reference       text    not null,
    code            text    not null,
    problem         text    not null,
    version         bigint  not null,
    constraint arp_item_pk primary key (institution_id, organization_id, id),
    constraint arp_item_cents check (cents > 0),
    constraint arp_item_kind check (kind in ('check', 'ach')),
    constraint arp_item_state check (state in ('open', 'paying', 'returning', 'refused', 'paid', 'returned', 'elsewhere'))
);
create unique index arp_item_host on arp_item (institution_id, host_id);
create index arp_item_list on arp_item (institution_id, organization_id, day, id);
create index arp_item_due on arp_item (day, id) where state in ('open', 'refused');

-- How far the host has been listened to.
create table arp_mark (
    institution_id text not null,
    mark           text not null,
    constraint arp_mark_pk primary key (institution_id)
);

-- +goose Down
drop table arp_mark;
drop table arp_item;
drop table arp_issue;
drop table arp_file;
drop table arp_layout;
drop table arp_account;
drop table arp_settings;
