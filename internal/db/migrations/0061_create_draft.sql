-- +goose Up

-- What an admin typed about somebody who is not created yet: one for each admin.
create table create_draft (
    organization_num bigint   not null,
    author_ordinal   integer  not null,
    first_name       text     not null,
    last_name        text     not null,
    email            text     not null,
    role             smallint not null,
    copy_from        text     not null,
    kept_micros      bigint   not null,
    constraint create_draft_pk primary key (organization_num, author_ordinal),
    constraint create_draft_role check (role between 0 and 2),
    constraint create_draft_author foreign key (organization_num, author_ordinal) references member (organization_num, ordinal) on delete cascade
);

-- New members for whom nobody has enabled accounts yet, with what is chosen so
-- far: accounts are a JSON list of ids. None of it counts for any decision.
create table member_setup (
    organization_num bigint  not null,
    member_ordinal   integer not null,
    copy_from        text    not null,
    accounts         text    not null,
    kept_micros      bigint  not null,
    constraint member_setup_pk primary key (organization_num, member_ordinal),
    constraint member_setup_member foreign key (organization_num, member_ordinal) references member (organization_num, ordinal) on delete cascade
);
