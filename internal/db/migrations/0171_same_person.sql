-- +goose Up

-- Which staff users of several institutions are one person, as they have shown
-- by signing in to each in one browser. Whoever is not here is nobody else.
create table same_person (
    institution_id text   not null,
    subject_kind   text   not null,
    subject_id     text   not null,
    person_id      text   not null,
    joined_micros  bigint not null,
    constraint same_person_pk primary key (institution_id, subject_kind, subject_id),
    constraint same_person_once unique (person_id, institution_id),
    constraint same_person_kind check (subject_kind = 'staff')
);
