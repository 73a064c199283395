-- Who works at the desk, and where they are signed in. Logins are one name space for the whole installation: whoever
-- signs in says no tenant. Of passwords there is argon2id (RFC 9106), of a session's secret only its digest.
CREATE TABLE service.users (
    user_id     uuid        PRIMARY KEY,
    tenant      text        NOT NULL,
    login       text        NOT NULL UNIQUE,
    password    text        NOT NULL,
    name        text        NOT NULL,
    role        text        NOT NULL CHECK (role IN ('agent', 'supervisor')),
    language    text        NOT NULL CHECK (language IN ('en', 'fa')),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz
);
CREATE TABLE service.sessions (
    digest     bytea       PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES service.users,
    csrf       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON service.sessions (user_id);
CREATE INDEX sessions_by_end ON service.sessions (expires_at);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tamas_desk') THEN
        CREATE ROLE tamas_desk NOLOGIN;
    END IF;
    GRANT tamas_desk TO CURRENT_USER;
END $$;
GRANT USAGE ON SCHEMA record, service TO tamas_desk;
GRANT SELECT ON record.facts, record.decisions, record.seen, record.commands TO tamas_desk;
GRANT SELECT, UPDATE (language) ON service.users TO tamas_desk;
GRANT SELECT, INSERT, DELETE ON service.sessions TO tamas_desk;
GRANT EXECUTE ON FUNCTION record.head() TO tamas_desk;
-- Its streams are of all tenants; each is given its own.
CREATE POLICY desk_reads ON record.facts FOR SELECT TO tamas_desk USING (true);
CREATE POLICY desk_reads ON record.decisions FOR SELECT TO tamas_desk USING (true);
CREATE POLICY desk_reads ON record.commands FOR SELECT TO tamas_desk USING (true);
-- Where an answer can go depends on where its customer spoke last.
GRANT SELECT ON service.conversation_senders TO tamas_desk;
CREATE POLICY desk_reads ON service.conversation_senders FOR SELECT TO tamas_desk USING (true);
