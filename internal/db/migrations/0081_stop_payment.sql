-- +goose Up

-- What an institution charges and says about stop payments, and what it must
-- be told.
create table stop_terms (
    institution_id text    not null,
    fee            bigint  not null,
    disclaimer     text    not null,
    needs_amount   boolean not null,
    needs_date     boolean not null,
    needs_payee    boolean not null,
    constraint stop_terms_pk primary key (institution_id),
    constraint stop_terms_fee check (fee >= 0)
);

create table stop_payment (
    institution_id  text    not null,
    organization_id text    not null,
    id              text    not null,
    account_id      text    not null,
    first_check     bigint  not null,
    last_check      bigint  not null,
    cents           bigint  not null,
    check_day       text    not null,
    payee           text    not null,
    payee_key       text    not null,
    fee             bigint  not null,
    state           text    not null,
    day             text    not null,
    until_day       text    not null,
    by_id           text    not null,
    by_name         text    not null,
    content_hash    text    not null,
    created_micros  bigint  not null,
    settled_micros  bigint  not null,
    reference       text    not null,
    code            text    not null,
    problem         text    not null,
    constraint stop_payment_pk primary key (institution_id, organization_id, id),
    constraint stop_payment_range check (first_check > 0 and last_check >= first_check),
    constraint stop_payment_state check (state in ('sent', 'active', 'refused', 'lifting', 'lifted'))
);
create index stop_payment_list on stop_payment (institution_id, organization_id, created_micros, id);
create index stop_payment_account on stop_payment (institution_id, organization_id, account_id, first_check);

-- +goose Down
drop table stop_payment;
drop table stop_terms;
