-- +goose Up

-- Days on which an institution differs from the Federal Reserve's holidays.
create table calendar_day (
    institution_id text    not null,
    day            text    not null,
    name           text    not null,
    open           boolean not null,
    constraint calendar_day_pk primary key (institution_id, day),
    constraint calendar_day_day check (length(day) = 10)
);

-- When a service is worked, in minutes after midnight, where the institution
-- differs from the defaults.
create table calendar_hours (
    institution_id text    not null,
    line           text    not null,
    opens          integer not null,
    closes         integer not null,
    constraint calendar_hours_pk primary key (institution_id, line),
    constraint calendar_hours_span check (opens >= 0 and closes > opens and closes <= 1440)
);
