-- +goose Up

-- Wires: money that leaves for an account at another bank. The amounts move at
-- the host; here is what was asked, by whom, and how far it has come.
create table wire (
    institution_id   text    not null,
    organization_id  text    not null,
    id               text    not null,
    series_id        text    not null,
    occurrence       integer not null,
    template_id      text    not null,
    template_name    text    not null,
    account_id       text    not null,
    cents            bigint  not null,
    payee_name       text    not null,
    payee_account    text    not null,
    payee_street     text    not null,
    payee_town       text    not null,
    payee_state      text    not null,
    payee_post       text    not null,
    bank_routing     text    not null,
    bank_name        text    not null,
    via_routing      text    not null,
    via_name         text    not null,
    remarks          text    not null,
    search_key       text    not null,
    state            text    not null,
    asked_day        text    not null,
    day              text    not null,
    because          text    not null,
    due_micros       bigint  not null,
    by_id            text    not null,
    by_name          text    not null,
    maker_id         text    not null,
    maker_name       text    not null,
    content_hash     text    not null,
    created_micros   bigint  not null,
    initiated_micros bigint  not null,
    sent_micros      bigint  not null,
    settled_micros   bigint  not null,
    attempt          integer not null,
    item_id          text    not null,
    approver         text    not null,
    originator       text    not null,
    format           text    not null,
    number           integer not null,
    reference        text    not null,
    code             text    not null,
    problem          text    not null,
    version          bigint  not null,
    constraint wire_pk primary key (institution_id, organization_id, id),
    constraint wire_cents check (cents > 0),
    constraint wire_routing check (length(bank_routing) = 9),
    constraint wire_state check (state in ('scheduled', 'ready', 'pending_approval', 'initiated', 'sent', 'processed', 'cancelled'))
);
create index wire_list on wire (institution_id, organization_id, day, id);
create index wire_twins on wire (institution_id, organization_id, payee_account, day);
create index wire_due on wire (due_micros, id) where state in ('scheduled', 'initiated');
-- One occurrence of a series is made once.
create unique index wire_occurrence on wire (institution_id, organization_id, series_id, occurrence) where series_id <> '';

create table wire_series (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    template_id     text    not null,
    template_name   text    not null,
    account_id      text    not null,
    cents           bigint  not null,
    payee_name      text    not null,
    payee_account   text    not null,
    payee_street    text    not null,
    payee_town      text    not null,
    payee_state     text    not null,
    payee_post      text    not null,
    bank_routing    text    not null,
    bank_name       text    not null,
    via_routing     text    not null,
    via_name        text    not null,
    remarks         text    not null,
    frequency       text    not null,
    first_day       text    not null,
    until_day       text    not null,
    times           integer not null,
    made            integer not null,
    state           text    not null,
    by_id           text    not null,
    by_name         text    not null,
    maker_id        text    not null,
    maker_name      text    not null,
    content_hash    text    not null,
    created_micros  bigint  not null,
    version         bigint  not null,
    constraint wire_series_pk primary key (institution_id, organization_id, id),
    constraint wire_series_cents check (cents > 0),
    constraint wire_series_state check (state in ('active', 'ended', 'cancelled'))
);
create index wire_series_list on wire_series (institution_id, organization_id, state, id);

-- What repeats without a rhythm: everything of a wire but its day. The amount
-- is the usual one, zero where there is none. Deleted ones keep their row.
create table wire_template (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    name            text    not null,
    name_key        text    not null,
    account_id      text    not null,
    cents           bigint  not null,
    payee_name      text    not null,
    payee_account   text    not null,
    payee_street    text    not null,
    payee_town      text    not null,
    payee_state     text    not null,
    payee_post      text    not null,
    bank_routing    text    not null,
    bank_name       text    not null,
    via_routing     text    not null,
    via_name        text    not null,
    remarks         text    not null,
    maker_id        text    not null,
    maker_name      text    not null,
    editor_name     text    not null,
    content_hash    text    not null,
    created_micros  bigint  not null,
    edited_micros   bigint  not null,
    deleted         boolean not null,
    version         bigint  not null,
    constraint wire_template_pk primary key (institution_id, organization_id, id),
    constraint wire_template_cents check (cents >= 0)
);
create unique index wire_template_name on wire_template (institution_id, organization_id, name_key) where not deleted;

-- How an institution sends wires: without a row it sends none.
create table wire_terms (
    institution_id text not null,
    routing        text not null,
    name           text not null,
    source         text not null,
    format         text not null,
    constraint wire_terms_pk primary key (institution_id),
    constraint wire_terms_format check (format in ('faim', 'pacs.008'))
);

-- Numbers of the messages of a day.
create table wire_number (
    institution_id text    not null,
    day            text    not null,
    last           integer not null,
    constraint wire_number_pk primary key (institution_id, day)
);

-- +goose Down
drop table wire_number;
drop table wire_terms;
drop table wire_template;
drop table wire_series;
drop table wire;
