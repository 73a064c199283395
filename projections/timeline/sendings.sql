-- Takes in what is told of our messages, before receipts.sql, which leaves them alone.
INSERT INTO sendings (tenant, event_id, position, message_id, occurred_at, rank, state, why, hold_until, again,
    receipts_as, round, channel, inbox_id, address)
SELECT DISTINCT ON (tenant, event_id) * FROM timeline_new_sendings ORDER BY tenant, event_id
ON CONFLICT DO NOTHING;
