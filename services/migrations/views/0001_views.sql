-- Bookkeeping of read models. The models themselves are never migrated, only rebuilt.
CREATE SCHEMA views;

-- Moved by compare-and-swap in the transaction of the rows. Topic '' is the record itself: how far a generation is
-- filled. `record_offset` is a hint where to look for the record of this position.
CREATE TABLE views.positions (
    projection_set text    NOT NULL,
    topic          text    NOT NULL,
    partition      integer NOT NULL,
    position       bigint  NOT NULL,
    record_offset  bigint,
    moved_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection_set, topic, partition)
);

-- Which version of a read model serves, and which is being filled beside it.
CREATE TABLE views.models (
    name     text    NOT NULL,
    version  integer NOT NULL,
    generation integer NOT NULL,
    state    text    NOT NULL CHECK (state IN ('live', 'filling')),
    PRIMARY KEY (name, generation)
);

-- What was set aside. Position 0: it had none; offset -1: it was read from the record. With a subject: an event that is
-- valid but that our code fails on, and all that came after it for the same subject. Without: poison.
CREATE TABLE views.parked (
    projection_set text        NOT NULL,
    topic          text        NOT NULL,
    partition      integer     NOT NULL,
    record_offset  bigint      NOT NULL,
    position       bigint      NOT NULL,
    subject        uuid,
    reason         text        NOT NULL,
    payload_digest bytea       NOT NULL,
    parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection_set, topic, partition, position, record_offset, payload_digest)
);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tamas_views') THEN CREATE ROLE tamas_views NOLOGIN; END IF;
    GRANT tamas_views TO CURRENT_USER;
END $$;
GRANT USAGE ON SCHEMA views TO tamas_views;
GRANT SELECT ON ALL TABLES IN SCHEMA views TO tamas_views;
