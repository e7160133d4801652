-- +goose Up

-- The picture of a person, as the product drew it anew. It is gone with them.
create table avatar (
    organization_num bigint  not null,
    member_ordinal   integer not null,
    etag             text    not null,
    picture          bytea   not null,
    set_micros       bigint  not null,
    constraint avatar_pk primary key (organization_num, member_ordinal),
    constraint avatar_member foreign key (organization_num, member_ordinal) references member (organization_num, ordinal) on delete cascade
);
