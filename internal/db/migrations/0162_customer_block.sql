-- +goose Up

-- The search of all customers keeps what it looks through in memory, in blocks of
-- 64 organizations. Whatever changes a name, an address or a standing raises the
-- version of its block in the same transaction.
create table customer_block (
    institution_id text   not null,
    block          bigint not null,
    version        bigint not null,
    constraint customer_block_pk primary key (institution_id, block)
);
insert into customer_block (institution_id, block, version)
select institution_id, num / 64, 1 from organization group by institution_id, num / 64;
