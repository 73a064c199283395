-- Where a batch is copied to, made once per session and emptied by the batch itself: ON COMMIT DELETE ROWS truncates
-- files at each commit, which takes longer than folding a small batch. The names differ from those of the tables fed.
CREATE TEMP TABLE timeline_new_messages (
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
    agent_id         uuid,
    address          text,
    subject          text,
    body             text,
    full_text        text,
    attachment_names json
);
CREATE TEMP TABLE timeline_new_receipts (
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
    address        text
);
CREATE TEMP TABLE timeline_new_calls (
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
    url              text
);
CREATE TEMP TABLE timeline_new_withdrawn (
    tenant   text    NOT NULL,
    event_id uuid    NOT NULL,
    revision integer NOT NULL
);
CREATE TEMP TABLE timeline_new_erased (
    tenant     text NOT NULL,
    address_id uuid NOT NULL
);
CREATE TEMP TABLE timeline_new_sendings (
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
    address     text
);
-- Interactions whose receipts changed; `is_ours`: they are receipts for a message of ours, which is another row.
CREATE TEMP TABLE timeline_touched (
    tenant         text    NOT NULL,
    interaction_id uuid    NOT NULL,
    is_ours        boolean NOT NULL DEFAULT false
);
-- Calls of which something changed.
CREATE TEMP TABLE timeline_touched_calls (
    tenant         text NOT NULL,
    interaction_id uuid NOT NULL
);
CREATE TEMP TABLE timeline_new_joined (
    tenant          text   NOT NULL,
    interaction_id  uuid   NOT NULL,
    conversation_id uuid   NOT NULL,
    position        bigint NOT NULL
);
