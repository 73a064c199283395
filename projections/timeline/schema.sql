-- Every interaction of an address. Revision 0: only receipts or legs of a call are known of it, itself never was.
CREATE TABLE interactions (
    tenant           text        NOT NULL,
    interaction_id   uuid        NOT NULL,
    event_id         uuid        NOT NULL,
    revision         integer     NOT NULL,
    position         bigint      NOT NULL,
    address_id       uuid        NOT NULL,
    inbox_id         uuid,
    kind             text        NOT NULL,
    direction        text        NOT NULL,
    channel          text        NOT NULL,
    automatic        text        NOT NULL,
    assurance        text        NOT NULL,
    occurred_at      timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL,
    effective_at     timestamptz NOT NULL,
    attachments      json,
    address          text,
    subject          text,
    body             text,
    full_text        text,
    attachment_names json,
    withdrawn        boolean     NOT NULL DEFAULT false,
    delivery_state   text,
    delivery_at      timestamptz,
    delivery_why     text,
    delivery_hold_until timestamptz,
    agent_id         uuid,
    call_state       text,
    call_duration_seconds integer,
    call_legs        json,
    PRIMARY KEY (tenant, interaction_id)
);
CREATE INDEX interactions_newest_first ON interactions (tenant, address_id, effective_at DESC, position DESC);
CREATE INDEX interactions_by_event ON interactions (event_id);
CREATE INDEX interactions_by_attachment ON interactions USING gin ((attachments::jsonb) jsonb_path_ops)
    WHERE attachments IS NOT NULL;

-- Receipts one by one, so that a mended or withdrawn one can be folded again.
CREATE TABLE receipts (
    tenant         text        NOT NULL,
    event_id       uuid        NOT NULL,
    revision       integer     NOT NULL,
    position       bigint      NOT NULL,
    interaction_id uuid        NOT NULL,
    address_id     uuid        NOT NULL,
    inbox_id       uuid,
    channel        text        NOT NULL,
    rank           smallint    NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    effective_at   timestamptz NOT NULL,
    address        text,
    withdrawn      boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX receipts_by_interaction ON receipts (tenant, interaction_id);
CREATE INDEX receipts_by_address ON receipts (tenant, address_id);

-- What is known of calls, fact by fact: their beginnings, the states of their legs (rank), recordings.
CREATE TABLE call_facts (
    tenant           text        NOT NULL,
    event_id         uuid        NOT NULL,
    revision         integer     NOT NULL,
    position         bigint      NOT NULL,
    interaction_id   uuid        NOT NULL,
    address_id       uuid        NOT NULL,
    inbox_id         uuid,
    channel          text        NOT NULL,
    direction        text        NOT NULL,
    leg_id           uuid,
    first_leg        boolean     NOT NULL,
    rank             smallint,
    missed           boolean     NOT NULL,
    duration_seconds integer,
    assurance        smallint    NOT NULL,
    recording_id     uuid,
    media_type       text,
    occurred_at      timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL,
    effective_at     timestamptz NOT NULL,
    address          text,
    url              text,
    withdrawn        boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX call_facts_by_interaction ON call_facts (tenant, interaction_id);
CREATE INDEX call_facts_by_address ON call_facts (tenant, address_id);

-- What became of our messages, fact by fact. `rank`: what it says of the delivery, the highest holds; null: nothing.
-- `again`: it begins anew, another way is taken or a person says that it was not sent. A way is known by its round.
CREATE TABLE sendings (
    tenant      text        NOT NULL,
    event_id    uuid        NOT NULL,
    position    bigint      NOT NULL,
    message_id  uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    rank        integer,
    state       text,
    why         text,
    hold_until  timestamptz,
    again       boolean     NOT NULL,
    receipts_as uuid,
    round       integer,
    channel     text,
    inbox_id    uuid,
    address     text,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX sendings_by_message ON sendings (tenant, message_id);
CREATE INDEX sendings_by_receipts ON sendings (tenant, receipts_as) WHERE receipts_as IS NOT NULL;

-- Which conversation an interaction belongs to. `effective_at` and `item_position` are the interaction's own, null
-- while it is not here: a page of a conversation is read in order, however long it is.
CREATE TABLE joined (
    tenant          text   NOT NULL,
    interaction_id  uuid   NOT NULL,
    conversation_id uuid   NOT NULL,
    position        bigint NOT NULL,
    effective_at    timestamptz,
    item_position   bigint,
    PRIMARY KEY (tenant, interaction_id)
);
CREATE INDEX joined_in_order ON joined (tenant, conversation_id, effective_at, item_position);

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

ALTER TABLE interactions ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON interactions TO tamas_views USING (tenant = current_setting('tamas.tenant', true));
GRANT SELECT ON interactions TO tamas_views;
ALTER TABLE joined ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON joined TO tamas_views USING (tenant = current_setting('tamas.tenant', true));
GRANT SELECT ON joined TO tamas_views;
