-- How far each decider has read the record, moved in the transaction of its decisions. `lookups` is the version of the
-- tables below that it fills: another one, and they are filled again from the record.
CREATE TABLE service.deciders (
    decider  text    PRIMARY KEY,
    position bigint  NOT NULL,
    lookups  integer NOT NULL
);
-- What a decider could not decide on, and all that came after it for the same address: tried again at its next start.
CREATE TABLE service.undecided (
    decider   text        NOT NULL,
    position  bigint      NOT NULL,
    tenant    text        NOT NULL,
    subject   uuid        NOT NULL,
    reason    text        NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (decider, position)
);

-- Which conversation an interaction belongs to is looked up here. All of it can be made again from the record. No
-- personal data: digests of Message-IDs are made under a key of the tenant.
CREATE TABLE service.conversations (
    conversation_id uuid        PRIMARY KEY,
    tenant          text        NOT NULL,
    version         integer     NOT NULL,
    address_id      uuid        NOT NULL,
    inbox_id        uuid,
    channel         text        NOT NULL,
    interactions    integer     NOT NULL,
    state           text        NOT NULL,
    since_at        timestamptz NOT NULL,
    waits_for       text
) WITH (fillfactor = 80);
-- The present conversation of an address on an inbox, and how many mails it sent lately.
CREATE TABLE service.conversation_senders (
    address_id      uuid NOT NULL,
    inbox_id        uuid NOT NULL,
    tenant          text NOT NULL,
    conversation_id uuid,
    level           real NOT NULL DEFAULT 0,
    level_at        timestamptz,
    PRIMARY KEY (address_id, inbox_id)
) WITH (fillfactor = 80);
CREATE TABLE service.conversation_mails (
    digest          uuid    PRIMARY KEY,
    conversation_id uuid    NOT NULL,
    address_id      uuid    NOT NULL,
    referred        boolean NOT NULL
);
CREATE INDEX conversation_mails_by_address ON service.conversation_mails (address_id);
CREATE TABLE service.conversation_calls (
    interaction_id  uuid    PRIMARY KEY,
    tenant          text    NOT NULL,
    so_far          jsonb   NOT NULL,
    outcome         text,
    conversation_id uuid
);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tamas_decider') THEN
        CREATE ROLE tamas_decider NOLOGIN;
    END IF;
    GRANT tamas_decider TO CURRENT_USER;
END $$;
GRANT USAGE ON SCHEMA record, service TO tamas_decider;
GRANT SELECT ON record.facts, record.decisions, record.seen TO tamas_decider;
GRANT SELECT, INSERT, UPDATE ON service.leases, service.deciders TO tamas_decider;
GRANT SELECT ON service.undecided, service.conversations, service.conversation_senders, service.conversation_mails,
    service.conversation_calls TO tamas_decider;
CREATE POLICY decider_reads ON record.facts FOR SELECT TO tamas_decider USING (true);
CREATE POLICY decider_reads ON record.decisions FOR SELECT TO tamas_decider USING (true);
