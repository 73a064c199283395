-- THE RECORD: facts and decisions draw one number under one lock. Nobody updates a fact.
CREATE SCHEMA record;
CREATE SCHEMA service;

CREATE SEQUENCE record.position AS bigint;
-- Microseconds since 1970: the highest recorded_at so far, so that a clock that is set back never shows.
CREATE SEQUENCE record.clock AS bigint;

-- Call only under the record's lock.
CREATE FUNCTION record.tick() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT to_timestamp(setval('record.clock', greatest(
        (SELECT last_value + 1 FROM record.clock),
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)) / 1000000.0)
$$;

CREATE TABLE record.facts (
    position       bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    revision       smallint    NOT NULL,
    tenant         text        NOT NULL,
    topic          text        NOT NULL,
    type           text        NOT NULL,
    version        smallint    NOT NULL,
    subject        uuid        NOT NULL,
    inbox_id       uuid,
    raw_id         uuid,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    correlation_id uuid,
    causation_id   uuid,
    traceparent    text,
    data           bytea       NOT NULL,
    personal       bytea,
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);

-- The only random index of intake: what was ever accepted, also after its facts were dropped.
CREATE TABLE record.seen (
    tenant   text     NOT NULL,
    event_id uuid     NOT NULL,
    revision smallint NOT NULL,
    raw_id   uuid     NOT NULL,
    PRIMARY KEY (event_id, revision, tenant)
) PARTITION BY HASH (event_id);
CREATE TABLE record.seen_0 PARTITION OF record.seen FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE record.seen_1 PARTITION OF record.seen FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE record.seen_2 PARTITION OF record.seen FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE record.seen_3 PARTITION OF record.seen FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- The request as it came, sealed under the key of its tenant and day; days are dropped by policy.
CREATE TABLE record.raw (
    raw_id      uuid        NOT NULL,
    day         date        NOT NULL,
    tenant      text        NOT NULL,
    inbox_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    state       text        NOT NULL CHECK (state IN ('read', 'pending', 'parked')),
    sealed      bytea       NOT NULL,
    PRIMARY KEY (raw_id, day)
) PARTITION BY RANGE (day);

CREATE TABLE record.decisions (
    position           bigint      NOT NULL DEFAULT nextval('record.position'),
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL,
    tenant             text        NOT NULL,
    topic              text        NOT NULL,
    type               text        NOT NULL,
    version            smallint    NOT NULL,
    event_id           uuid        NOT NULL,
    recorded_at        timestamptz NOT NULL,
    correlation_id     uuid,
    causation_id       uuid,
    state_topic        text        NOT NULL,
    state              bytea       NOT NULL,
    PRIMARY KEY (originator_id, originator_version),
    UNIQUE (position)
);
CREATE INDEX decisions_of_settings ON record.decisions (position) WHERE topic = 'settings';

-- What a command was answered, so that a repeat gets the first answer back.
CREATE TABLE record.commands (
    tenant     text   NOT NULL,
    command_id uuid   NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (tenant, command_id)
);

-- Which cluster this record lives in; a difference means a restore or a failover, and stops everything.
CREATE TABLE record.identity (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    system_identifier text        NOT NULL,
    timeline          integer     NOT NULL,
    adopted_at        timestamptz NOT NULL,
    first_position    bigint      NOT NULL
);

-- Raw requests that wait for a parser worker. Taken with a claim that runs out, so that a sweeper finds orphans.
CREATE TABLE service.pending (
    raw_id        uuid        PRIMARY KEY,
    day           date        NOT NULL,
    tenant        text        NOT NULL,
    inbox_id      uuid        NOT NULL,
    tries         integer     NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX pending_by_claim ON service.pending (claimed_until);

CREATE TABLE service.parked (
    parked_id  uuid        PRIMARY KEY,
    tenant     text        NOT NULL,
    inbox_id   uuid,
    raw_id     uuid,
    day        date,
    stage      text        NOT NULL,
    reason     text        NOT NULL,
    parked_at  timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'retried', 'discarded')),
    resolution text
);
CREATE INDEX parked_open ON service.parked (tenant, parked_at) WHERE state = 'parked';

-- Requests that were refused or came again: counted, and the last few kept for a gateway's developer.
CREATE TABLE service.requests (
    request_id  uuid        NOT NULL,
    tenant      text        NOT NULL,
    inbox_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    result      text        NOT NULL,
    reason      text,
    raw_id      uuid,
    event_ids   uuid[]      NOT NULL DEFAULT '{}'
);
CREATE INDEX requests_by_inbox ON service.requests (inbox_id, received_at DESC);

CREATE TABLE service.leases (
    name       text        PRIMARY KEY,
    holder     text        NOT NULL,
    epoch      bigint      NOT NULL,
    until      timestamptz NOT NULL
);

-- How far the relay has published, and the last position that each partition holds.
CREATE TABLE service.relay_cursor (
    prefix   text   PRIMARY KEY,
    position bigint NOT NULL,
    epoch    bigint NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE service.relay_partitions (
    prefix    text    NOT NULL,
    topic     text    NOT NULL,
    partition integer NOT NULL,
    position  bigint  NOT NULL,
    PRIMARY KEY (prefix, topic, partition)
);

CREATE TABLE service.tokens (
    token_id   uuid        PRIMARY KEY,
    tenant     text        NOT NULL,
    name       text        NOT NULL,
    role       text        NOT NULL CHECK (role IN ('agent', 'supervisor', 'operator', 'integrator', 'subscriber')),
    digest     bytea       NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
