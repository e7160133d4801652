-- +goose Up

-- Programs that call the API. Operations are separated by blanks; none means
-- all. A moment of 0 has not come yet.
create table api_client (
    institution_id   text   not null,
    id               text   not null,
    name             text   not null,
    operations       text   not null,
    created_micros   bigint not null,
    revoked_micros   bigint not null,
    last_used_micros bigint not null,
    constraint api_client_pk primary key (institution_id, id)
);
create unique index api_client_name on api_client (institution_id, name) where revoked_micros = 0;

-- Keys are stored as SHA-256 and never as they are. A client has more than one
-- while an old one runs out.
create table api_key (
    key_hash       bytea  not null,
    institution_id text   not null,
    client_id      text   not null,
    created_micros bigint not null,
    expires_micros bigint not null,
    constraint api_key_pk primary key (key_hash),
    constraint api_key_client foreign key (institution_id, client_id) references api_client (institution_id, id)
);
create index api_key_of_client on api_key (institution_id, client_id);
