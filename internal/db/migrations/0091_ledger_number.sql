-- +goose Up

-- What other banks know an account by; empty where nobody said it.
alter table ledger_account add column number text not null default '';

-- +goose Down
alter table ledger_account drop column number;
