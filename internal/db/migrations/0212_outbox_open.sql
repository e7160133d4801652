-- +goose Up

-- A courier asks of every message whether one before it in its lane has not
-- arrived. What has arrived need not be looked through for that.
create index outbox_open_lane on outbox (lane, place) where state in ('ready', 'busy', 'dead');
