-- +goose Up

-- What was mailed to staff users, as their colleagues can read it: without the
-- link, which is in the mail and nowhere else. The key is the outbox's.
create table staff_letter (
    institution_id text   not null,
    id             text   not null,
    mail_key       text   not null,
    staff_id       text   not null,
    subject        text   not null,
    lines          text   not null,
    had_link       bigint not null,
    created_micros bigint not null,
    constraint staff_letter_pk primary key (institution_id, id),
    constraint staff_letter_key unique (institution_id, mail_key)
);
create index staff_letter_user on staff_letter (institution_id, staff_id, id);
