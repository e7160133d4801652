-- +goose Up

-- The external application whose tokens are taken for the client's; empty: none.
alter table api_client add column application_id text not null default '';
create unique index api_client_application on api_client (institution_id, application_id) where application_id <> '' and revoked_micros = 0;

-- What the client can carry out beyond a yes and a no, by name, apart by blanks.
alter table api_client add column capabilities text not null default '';

-- Decisions a second in the long run; 0: as many as usual.
alter table api_client add column rate bigint not null default 0;

-- Certificates by which a client may prove itself: the SHA-256 of a public key, or
-- a name that a certificate of a trusted authority carries. Each is one client's.
create table api_certificate (
    certificate    text   not null,
    institution_id text   not null,
    client_id      text   not null,
    created_micros bigint not null,
    constraint api_certificate_pk primary key (certificate),
    constraint api_certificate_client foreign key (institution_id, client_id) references api_client (institution_id, id)
);
create index api_certificate_of_client on api_certificate (institution_id, client_id);
