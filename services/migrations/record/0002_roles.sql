-- What each process may do. Services connect as the owner and take the role of their work (SET ROLE).
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tamas_ingress', 'tamas_parser', 'tamas_relay', 'tamas_api'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        EXECUTE format('GRANT %I TO CURRENT_USER', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA record, service TO tamas_ingress, tamas_parser, tamas_relay, tamas_api;
-- Ingress may only insert into the record; it reads `seen` to tell a new fact from a repeated one.
GRANT USAGE ON SEQUENCE record.position TO tamas_ingress;
GRANT SELECT, UPDATE ON SEQUENCE record.clock TO tamas_ingress;
GRANT INSERT ON record.facts, record.raw TO tamas_ingress;
GRANT INSERT, SELECT ON record.seen TO tamas_ingress;
GRANT SELECT ON record.decisions, record.identity, service.tokens TO tamas_ingress;
GRANT INSERT ON service.pending, service.parked TO tamas_ingress;
GRANT INSERT, SELECT, DELETE ON service.requests TO tamas_ingress;

-- A parser does what ingress does, reads what waits, and takes it off the list.
GRANT tamas_ingress TO tamas_parser;
GRANT SELECT ON record.raw TO tamas_parser;
GRANT SELECT, UPDATE, DELETE ON service.pending TO tamas_parser;
GRANT SELECT, UPDATE ON service.parked TO tamas_parser;

GRANT SELECT ON record.facts, record.decisions, record.identity TO tamas_relay;
GRANT SELECT, INSERT, UPDATE ON service.relay_cursor, service.relay_partitions, service.leases TO tamas_relay;

GRANT SELECT ON record.facts, record.decisions, record.raw, record.identity, record.seen TO tamas_api;
GRANT SELECT ON service.parked, service.requests, service.tokens, service.relay_cursor, service.pending TO tamas_api;
GRANT UPDATE (state, resolution) ON service.parked TO tamas_api;
GRANT INSERT ON service.pending TO tamas_api;
GRANT UPDATE (tries, claimed_until) ON service.pending TO tamas_api;
GRANT SELECT ON record.commands TO tamas_api;

-- The API sees one tenant: the one that its token names, set for the transaction.
ALTER TABLE record.facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.raw ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.commands ENABLE ROW LEVEL SECURITY;
ALTER TABLE service.parked ENABLE ROW LEVEL SECURITY;
ALTER TABLE service.requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE service.pending ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON record.facts TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON record.decisions TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON record.raw TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON record.commands TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON service.parked TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON service.requests TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY one_tenant ON service.pending TO tamas_api USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY all_rows ON record.facts TO tamas_ingress, tamas_parser, tamas_relay USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON record.decisions TO tamas_ingress, tamas_parser, tamas_relay USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON record.raw TO tamas_ingress, tamas_parser USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON service.parked TO tamas_ingress, tamas_parser USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON service.requests TO tamas_ingress, tamas_parser USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON service.pending TO tamas_ingress, tamas_parser USING (true) WITH CHECK (true);

-- How far the record has come is no tenant's secret; what came is. With the owner's rights, for the API alone.
CREATE FUNCTION record.head() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT greatest((SELECT max(position) FROM record.facts), (SELECT max(position) FROM record.decisions), 0)
$$;
-- When the first event above this position was recorded: since when a reader that is there has been behind.
CREATE FUNCTION record.behind_since(after bigint) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT recorded_at FROM (
        (SELECT position, recorded_at FROM record.facts WHERE position > after ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT position, recorded_at FROM record.decisions WHERE position > after ORDER BY position LIMIT 1)
    ) AS next ORDER BY position LIMIT 1
$$;
-- Whose streams have something to read; not what.
CREATE FUNCTION record.arrived(after bigint, most integer) RETURNS TABLE (number bigint, tenant text, topic text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT * FROM (
        (SELECT f.position, f.tenant, f.topic FROM record.facts AS f
        WHERE f.position > after ORDER BY f.position LIMIT most)
        UNION ALL
        (SELECT d.position, d.tenant, d.topic FROM record.decisions AS d
        WHERE d.position > after ORDER BY d.position LIMIT most)
    ) AS news ORDER BY 1 LIMIT most
$$;
REVOKE ALL ON FUNCTION record.head(), record.behind_since(bigint), record.arrived(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.head(), record.behind_since(bigint), record.arrived(bigint, integer) TO tamas_api;
