-- +goose Up

-- "Who may do this on this account?" begins with the account.
create index account_by_id on account (id);
