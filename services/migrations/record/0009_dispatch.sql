-- Messages of ours whose fate may change, as dispatch works on them. All of it can be made again from the record, but
-- for receipts that came too early. No personal data. `place` is the position at which a message was asked for;
-- `to_id` is the address that it went to, from its first attempt on.
CREATE TABLE service.messages (
    message_id      uuid        PRIMARY KEY,
    tenant          text        NOT NULL,
    version         integer     NOT NULL,
    place           bigint      NOT NULL,
    state           text        NOT NULL,
    address_id      uuid        NOT NULL,
    conversation_id uuid,
    automatic       boolean     NOT NULL,
    undo_until      timestamptz,
    channel         text,
    inbox_id        uuid,
    round           smallint,
    has_next        boolean,
    attempt         integer,
    tries           integer,
    since_at        timestamptz,
    due_at          timestamptz,
    reported        text,
    to_id           uuid,
    started_at      timestamptz,
    fallback_at     timestamptz,
    changed_at      timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX messages_due ON service.messages (inbox_id, due_at, place) WHERE state = 'due';
CREATE INDEX messages_next ON service.messages (due_at) WHERE state = 'due';
CREATE INDEX messages_in_order ON service.messages (conversation_id, place)
    WHERE state IN ('asked', 'due', 'started') AND conversation_id IS NOT NULL;
CREATE INDEX messages_open ON service.messages (to_id, inbox_id) WHERE state IN ('started', 'in_doubt');
CREATE INDEX messages_silent ON service.messages (fallback_at) WHERE fallback_at IS NOT NULL;
CREATE INDEX messages_over ON service.messages (changed_at) WHERE state IN ('handed_off', 'delivered', 'failed');

-- By what receipts name it: an attempt that a provider took.
CREATE TABLE service.message_handoffs (
    receipts_as uuid    PRIMARY KEY,
    message_id  uuid    NOT NULL REFERENCES service.messages ON DELETE CASCADE,
    attempt     integer NOT NULL
);
CREATE INDEX message_handoffs_by_message ON service.message_handoffs (message_id);
-- Receipts of what no attempt is known for yet: a provider's report may be faster than its answer.
CREATE TABLE service.early_receipts (
    receipts_as uuid        NOT NULL,
    state       text        NOT NULL,
    code        text,
    address_id  uuid        NOT NULL,
    inbox_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (receipts_as, state)
);
CREATE INDEX early_receipts_by_address ON service.early_receipts (address_id, inbox_id);
CREATE INDEX early_receipts_by_time ON service.early_receipts (recorded_at);

GRANT SELECT ON service.messages, service.message_handoffs, service.early_receipts TO tamas_decider;
GRANT DELETE ON service.messages, service.early_receipts TO tamas_decider;
