-- +goose Up

-- Filters are kept for the list of customers, too. The key of a name is that of
-- Activity as before; of another page it begins with the page and a new line,
-- which no name has. One filter of a page can be the one that it begins with.
alter table staff_filter add column page text not null default 'activity';
alter table staff_filter add column first boolean not null default false;
