-- +goose Up

-- The support cases of an institution about members of its customers. Numbers
-- are given out per institution and never again.
create table support_counter (
    institution_id text   not null,
    last           bigint not null,
    constraint support_counter_pk primary key (institution_id)
);

create table support_case (
    institution_id  text   not null,
    organization_id text   not null,
    member_id       text   not null,
    number          bigint not null,
    subject         text   not null,
    details         text   not null,
    status          text   not null,
    opened_by_id    text   not null,
    opened_by_name  text   not null,
    opened_micros   bigint not null,
    changed_micros  bigint not null,
    constraint support_case_pk primary key (institution_id, number),
    constraint support_case_status check (status in ('open', 'waiting', 'solved'))
);
create index support_case_member on support_case (institution_id, organization_id, member_id, number);
