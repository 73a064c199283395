-- The server that this record begins its life on; only `tamas record adopt` notes another.
INSERT INTO record.identity (system_identifier, timeline, adopted_at, first_position)
SELECT (pg_control_system()).system_identifier::text,
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer, clock_timestamp(), 1
ON CONFLICT DO NOTHING;
