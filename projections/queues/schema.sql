-- Each conversation as it is now: what waits, since when, and whose turn it is. What was said is in the timeline.
CREATE TABLE conversations (
    tenant               text    NOT NULL,
    conversation_id      uuid    NOT NULL,
    -- From its first fact; null while only a later one has come.
    address_id           uuid,
    inbox_id             uuid,
    channel              text,
    opened_at            timestamptz,
    opened_position      bigint,
    first_interaction_id uuid,
    -- From the fact of the highest position.
    position             bigint  NOT NULL,
    state                text    NOT NULL,
    since_at             timestamptz NOT NULL,
    waits_for            text,
    -- From the interaction of the highest position.
    interactions         integer NOT NULL DEFAULT 0,
    last_interaction_id  uuid,
    last_position        bigint  NOT NULL DEFAULT 0,
    -- From the last time that an agent took it, gave it back or closed it.
    taken_by             uuid,
    taken_position       bigint  NOT NULL DEFAULT 0,
    -- The message of ours that did not arrive, until it is answered or closed again.
    failed_message_id    uuid,
    failed_position      bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, conversation_id)
);
CREATE INDEX conversations_by_turn ON conversations (tenant, state, since_at, opened_position);
CREATE INDEX conversations_by_agent ON conversations (tenant, taken_by) WHERE taken_by IS NOT NULL;

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON conversations TO tamas_views USING (tenant = current_setting('tamas.tenant', true));
GRANT SELECT ON conversations TO tamas_views;
