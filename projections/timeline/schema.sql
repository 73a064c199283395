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
    delivery_rank    smallint,
    delivery_at      timestamptz,
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

-- Which conversation an interaction belongs to; joined when reading.
CREATE TABLE joined (
    tenant          text   NOT NULL,
    interaction_id  uuid   NOT NULL,
    conversation_id uuid   NOT NULL,
    position        bigint NOT NULL,
    PRIMARY KEY (tenant, interaction_id)
);
CREATE INDEX joined_by_conversation ON joined (tenant, conversation_id);

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
