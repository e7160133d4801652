-- +goose Up

-- The institution as the sender of ACH files.
create table ach_sender (
    institution_id   text not null,
    routing          text not null,
    name             text not null,
    destination      text not null,
    destination_name text not null,
    constraint ach_sender_pk primary key (institution_id)
);

-- What the institution asks of an organization's files.
create table ach_rules (
    institution_id  text    not null,
    organization_id text    not null,
    relaxed         boolean not null,
    constraint ach_rules_pk primary key (institution_id, organization_id)
);

-- Originators that an organization may choose from; exposure is the most that
-- leaves for one in a day, zero where there is no such limit.
create table ach_company (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    ident           text    not null,
    name            text    not null,
    classes         text    not null,
    exposure        bigint  not null,
    constraint ach_company_pk primary key (institution_id, organization_id, id),
    constraint ach_company_ident unique (institution_id, organization_id, ident),
    constraint ach_company_exposure check (exposure >= 0)
);

create table ach_category (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    name            text    not null,
    name_key        text    not null,
    restricted      boolean not null,
    constraint ach_category_pk primary key (institution_id, organization_id, id),
    constraint ach_category_name unique (institution_id, organization_id, name_key)
);

-- A batch that was deleted stays, without entries: history speaks of it.
create table ach_batch (
    institution_id   text    not null,
    organization_id  text    not null,
    id               text    not null,
    name             text    not null,
    name_key         text    not null,
    category_id      text    not null,
    restricted       boolean not null,
    kind             text    not null,
    origin           text    not null,
    relaxed          boolean not null,
    source_hash      text    not null,
    company_ident    text    not null,
    header           text    not null,
    class            text    not null,
    state            text    not null,
    version          bigint  not null,
    credits          bigint  not null,
    debits           bigint  not null,
    entries          bigint  not null,
    idle             bigint  not null,
    has_debits       boolean not null,
    run_id           text    not null,
    last_editor      text    not null,
    last_editor_name text    not null,
    creator          text    not null,
    creator_name     text    not null,
    created_micros   bigint  not null,
    edited_micros    bigint  not null,
    constraint ach_batch_pk primary key (institution_id, organization_id, id),
    constraint ach_batch_state check (state in ('uploaded', 'ready', 'pending_approval', 'initiated', 'processing', 'processed', 'deleted')),
    constraint ach_batch_run check ((run_id <> '') = (state in ('pending_approval', 'initiated', 'processing', 'processed')))
);
create index ach_batch_list on ach_batch (institution_id, organization_id, edited_micros, id);
create index ach_batch_source on ach_batch (institution_id, organization_id, source_hash) where source_hash <> '';

-- What goes into the file is code, record and addenda; held and prenote keep an
-- entry out of it.
create table ach_entry (
    institution_id  text    not null,
    organization_id text    not null,
    batch_id        text    not null,
    place           bigint  not null,
    id              text    not null,
    record          text    not null,
    addenda         text    not null,
    held            boolean not null,
    prenote         boolean not null,
    live_from       text    not null,
    source_id       text    not null,
    constraint ach_entry_pk primary key (institution_id, organization_id, batch_id, place),
    constraint ach_entry_id unique (institution_id, organization_id, batch_id, id)
);
create index ach_entry_source on ach_entry (institution_id, organization_id, id);

-- One way of a batch to the institution, from its initiation on.
create table ach_run (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    batch_id        text    not null,
    title           text    not null,
    version         bigint  not null,
    state           text    not null,
    company_ident   text    not null,
    effective       text    not null,
    same_day        boolean not null,
    recurring       boolean not null,
    offset_account  text    not null,
    last_editor     boolean not null,
    debits_inside   boolean not null,
    credits         bigint  not null,
    debits          bigint  not null,
    entries         bigint  not null,
    counted         boolean not null,
    counts_on       text    not null,
    initiator       text    not null,
    initiator_name  text    not null,
    second          boolean not null,
    approver_name   text    not null,
    content_hash    text    not null,
    file_hash       text    not null,
    reference       text    not null,
    reason          text    not null,
    due_micros      bigint  not null,
    started_micros  bigint  not null,
    ended_micros    bigint  not null,
    constraint ach_run_pk primary key (institution_id, organization_id, id),
    constraint ach_run_state check (state in ('pending_approval', 'initiated', 'processing', 'processed', 'returned', 'uninitiated'))
);
create index ach_run_batch on ach_run (institution_id, organization_id, batch_id, started_micros);
create index ach_run_due on ach_run (due_micros, id) where state = 'initiated';
create index ach_run_exposure on ach_run (institution_id, organization_id, company_ident, counts_on);
create index ach_run_reopen on ach_run (state, effective);

create table ach_schedule (
    institution_id  text    not null,
    organization_id text    not null,
    batch_id        text    not null,
    frequency       text    not null,
    first           text    not null,
    next            text    not null,
    last            text    not null,
    offset_account  text    not null,
    member_id       text    not null,
    member_name     text    not null,
    parked          text    not null,
    constraint ach_schedule_pk primary key (institution_id, organization_id, batch_id),
    constraint ach_schedule_frequency check (frequency in ('once', 'weekly', 'two_weeks', 'monthly', 'quarterly', 'yearly'))
);
create index ach_schedule_next on ach_schedule (next) where parked = '';

-- How an organization's own lists of recipients are read, one for each format.
create table ach_layout (
    institution_id  text   not null,
    organization_id text   not null,
    format          text   not null,
    layout          text   not null,
    by_name         text   not null,
    at_micros       bigint not null,
    constraint ach_layout_pk primary key (institution_id, organization_id, format)
);

-- +goose Down
drop table ach_layout;
drop table ach_schedule;
drop table ach_run;
drop table ach_entry;
drop table ach_batch;
drop table ach_category;
drop table ach_company;
drop table ach_rules;
drop table ach_sender;
