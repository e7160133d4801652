-- +goose Up

-- Transfers between accounts of one organization. The amounts move at the
-- host; here is what was asked, by whom, and how far it has come.
create table transfer (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    series_id       text    not null,
    occurrence      integer not null,
    from_account    text    not null,
    to_account      text    not null,
    cents           bigint  not null,
    memo            text    not null,
    memo_key        text    not null,
    state           text    not null,
    asked_day       text    not null,
    day             text    not null,
    because         text    not null,
    due_micros      bigint  not null,
    by_id           text    not null,
    by_name         text    not null,
    maker_id        text    not null,
    maker_name      text    not null,
    content_hash    text    not null,
    created_micros  bigint  not null,
    sent_micros     bigint  not null,
    settled_micros  bigint  not null,
    attempt         integer not null,
    reference       text    not null,
    code            text    not null,
    problem         text    not null,
    version         bigint  not null,
    constraint transfer_pk primary key (institution_id, organization_id, id),
    constraint transfer_cents check (cents > 0),
    constraint transfer_accounts check (from_account <> to_account),
    constraint transfer_day check (length(day) = 10),
    constraint transfer_state check (state in ('scheduled', 'sent', 'completed', 'failed', 'parked', 'cancelled'))
);
create index transfer_list on transfer (institution_id, organization_id, day, id);
create index transfer_due on transfer (due_micros, id) where state = 'scheduled';
-- One occurrence of a series is made once.
create unique index transfer_occurrence on transfer (institution_id, organization_id, series_id, occurrence) where series_id <> '';

create table transfer_series (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    from_account    text    not null,
    to_account      text    not null,
    cents           bigint  not null,
    memo            text    not null,
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
    constraint transfer_series_pk primary key (institution_id, organization_id, id),
    constraint transfer_series_cents check (cents > 0),
    constraint transfer_series_accounts check (from_account <> to_account),
    constraint transfer_series_state check (state in ('active', 'ended', 'cancelled'))
);

-- +goose Down
drop table transfer_series;
drop table transfer;
