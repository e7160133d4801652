-- +goose Up

-- Links sent by mail: invitations and password resets. Of a subject's links
-- for one purpose only that of the highest version can work. token_hash is of
-- the link, browser_hash of the cookie of the browser that redeemed it.
create table link (
    institution_id      text   not null,
    subject_kind        text   not null,
    subject_id          text   not null,
    purpose             text   not null,
    version             bigint not null,
    token_hash          bytea  not null,
    email               text   not null,
    asked_by            text   not null,
    mail_key            text   not null,
    self_service        boolean not null,
    issued_micros       bigint not null,
    expires_micros      bigint not null,
    mailed_micros       bigint not null,
    redeemed_micros     bigint not null,
    completed_micros    bigint not null,
    cancelled_micros    bigint not null,
    replaced_micros     bigint not null,
    browser_hash        bytea  not null,
    browser_ends_micros bigint not null,
    constraint link_pk primary key (institution_id, subject_kind, subject_id, purpose, version),
    constraint link_token unique (institution_id, token_hash),
    constraint link_mail unique (institution_id, mail_key),
    constraint link_kind check (subject_kind in ('member', 'staff')),
    constraint link_purpose check (purpose in ('invitation', 'password-reset'))
);
create index link_browser on link (institution_id, browser_hash);
