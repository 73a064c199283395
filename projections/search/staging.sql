-- Where a batch is copied to, made once per session and emptied by the batch itself, mostly without a TRUNCATE: that
-- takes longer than folding a small batch.
CREATE TEMP TABLE search_new_entries (
    tenant         text        NOT NULL,
    interaction_id uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    revision       integer     NOT NULL,
    position       bigint      NOT NULL,
    address_id     uuid        NOT NULL,
    effective_at   timestamptz NOT NULL,
    address        text,
    words          text[]
);
CREATE TEMP TABLE search_new_withdrawn (
    tenant   text    NOT NULL,
    event_id uuid    NOT NULL,
    revision integer NOT NULL
);
CREATE TEMP TABLE search_new_erased (
    tenant     text NOT NULL,
    address_id uuid NOT NULL
);
