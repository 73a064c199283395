-- Where words were written, and addresses by their parts. What was written is in the timeline.
CREATE TABLE entries (
    tenant         text        NOT NULL,
    interaction_id uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    revision       integer     NOT NULL,
    position       bigint      NOT NULL,
    address_id     uuid        NOT NULL,
    effective_at   timestamptz NOT NULL,
    -- Each behind its tenant and a colon; null once withdrawn or erased.
    words          tsvector,
    PRIMARY KEY (tenant, interaction_id)
);
CREATE INDEX entries_by_words ON entries USING gin (words);
CREATE INDEX entries_newest_first ON entries (tenant, effective_at DESC, position DESC) WHERE words IS NOT NULL;
CREATE INDEX entries_by_address ON entries (tenant, address_id, effective_at DESC, position DESC);
CREATE INDEX entries_by_event ON entries (event_id);

CREATE TABLE addresses (
    tenant     text NOT NULL,
    address_id uuid NOT NULL,
    address    text NOT NULL,
    PRIMARY KEY (tenant, address_id, address)
);
-- The extension may be in any schema, and the search path is this one alone.
DO $$
BEGIN
    EXECUTE format(
        'CREATE INDEX addresses_by_part ON addresses USING gin (address %I.gin_trgm_ops)',
        (SELECT nspname FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'pg_trgm')
    );
END $$;

-- What must stay away even if it arrives, or arrives again, later.
CREATE TABLE withdrawn (
    tenant   text    NOT NULL,
    event_id uuid    NOT NULL,
    revision integer NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
CREATE TABLE erased (
    tenant     text NOT NULL,
    address_id uuid NOT NULL,
    PRIMARY KEY (tenant, address_id)
);

ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON entries TO tamas_views USING (tenant = current_setting('tamas.tenant', true));
GRANT SELECT ON entries TO tamas_views;

-- Under row-level security PostgreSQL uses no index for operators that might leak, such as @@ and LIKE. These functions
-- look at the same rows with their owner's rights.
CREATE FUNCTION among_newest(asked tsquery, at timestamptz, number bigint, looked_at integer, most integer)
RETURNS TABLE (interaction_id uuid, effective_at timestamptz, "position" bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT n.interaction_id, n.effective_at, n.position
    FROM (
        SELECT e.* FROM entries AS e
        WHERE e.tenant = current_setting('tamas.tenant', true) AND e.words IS NOT NULL
            AND (e.effective_at, e.position) < (at, number)
        ORDER BY e.effective_at DESC, e.position DESC LIMIT looked_at
    ) AS n
    WHERE n.words @@ asked ORDER BY n.effective_at DESC, n.position DESC LIMIT most
$$;

-- The index has no order: all that it finds is sorted. The tenant is compared in a way that no index is for: PostgreSQL
-- would go through all of a tenant's rows where it takes the beginning of a word for a common one.
CREATE FUNCTION among_all(asked tsquery, at timestamptz, number bigint, most integer)
RETURNS TABLE (interaction_id uuid, effective_at timestamptz, "position" bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    WITH hits AS MATERIALIZED (
        SELECT e.interaction_id, e.effective_at, e.position FROM entries AS e
        WHERE e.words @@ asked AND e.tenant || '' = current_setting('tamas.tenant', true)
    )
    SELECT h.interaction_id, h.effective_at, h.position FROM hits AS h
    WHERE (h.effective_at, h.position) < (at, number) ORDER BY h.effective_at DESC, h.position DESC LIMIT most
$$;

CREATE FUNCTION addresses_with(pattern text, most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT a.address_id FROM addresses AS a
    WHERE a.address LIKE pattern AND a.tenant || '' = current_setting('tamas.tenant', true) LIMIT most
$$;

REVOKE ALL ON FUNCTION among_newest, among_all, addresses_with FROM PUBLIC;
GRANT EXECUTE ON FUNCTION among_newest, among_all, addresses_with TO tamas_views;
