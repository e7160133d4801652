-- +goose Up

-- Alerts are on unless somebody turned one off for themself.
create table alert_off (
    institution_id text not null,
    member_id      text not null,
    kind           text not null,
    constraint alert_off_pk primary key (institution_id, member_id, kind)
);
