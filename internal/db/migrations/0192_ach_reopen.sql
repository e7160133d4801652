-- +goose Up

-- What was processed and is to be ready again is found by its batch: the runs of
-- years are not looked through.
create index ach_batch_reopen on ach_batch (institution_id, run_id) where state = 'processed' and origin <> 'file';
drop index ach_run_reopen;
