-- +goose Up

-- What comparing an institution's people with its host's found, the last time.
create table host_reconciliation (
    institution_id text   not null,
    at_micros      bigint not null,
    ours           bigint not null,
    theirs         bigint not null,
    differ         bigint not null,
    only_here      bigint not null,
    only_there     bigint not null,
    moving         bigint not null,
    report         text   not null,
    constraint host_reconciliation_pk primary key (institution_id)
);

-- Comparing walks all members in the order of how the host names them.
create index member_institution_external_id on member (institution_id, external_id);
