-- +goose Up

-- Cards, as the host inside the program has them: never a whole number.
create table ledger_card (
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
    constraint ledger_card_pk primary key (institution_id, id),
    constraint ledger_card_last_four check (length(last_four) = 4),
    constraint ledger_card_state check (state in ('ordered', 'active', 'locked', 'lost', 'stolen', 'replaced'))
);
create index ledger_card_list on ledger_card (institution_id, organization_id, account_id);

-- What people asked about cards, and what came of it.
create table card_request (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    card_id         text    not null,
    account_id      text    not null,
    card_name       text    not null,
    step            text    not null,
    replace         boolean not null,
    state           text    not null,
    by_id           text    not null,
    by_name         text    not null,
    content_hash    text    not null,
    created_micros  bigint  not null,
    settled_micros  bigint  not null,
    reference       text    not null,
    code            text    not null,
    problem         text    not null,
    constraint card_request_pk primary key (institution_id, organization_id, id),
    constraint card_request_state check (state in ('sent', 'done', 'refused'))
);
create index card_request_card on card_request (institution_id, organization_id, card_id, created_micros);
-- One thing at a time is asked about a card.
create unique index card_request_open on card_request (institution_id, organization_id, card_id) where state = 'sent';

-- +goose Down
drop table card_request;
drop table ledger_card;
