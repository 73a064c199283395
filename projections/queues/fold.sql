-- One row for each conversation of the batch. Each part holds what came with its highest position, so that order and
-- repetition don't count; what is decided again after a restore replaces what was decided before.
INSERT INTO conversations AS c (tenant, conversation_id, address_id, inbox_id, channel, opened_at, opened_position,
    first_interaction_id, position, state, since_at, waits_for, interactions, last_interaction_id, last_position,
    taken_by, taken_position, failed_message_id, failed_position)
SELECT * FROM unnest(%s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::bigint[],
    %s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::int[], %s::uuid[], %s::bigint[],
    %s::uuid[], %s::bigint[], %s::uuid[], %s::bigint[])
ON CONFLICT (tenant, conversation_id) DO UPDATE SET
    address_id = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.address_id
        ELSE c.address_id END,
    inbox_id = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.inbox_id
        ELSE c.inbox_id END,
    channel = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.channel
        ELSE c.channel END,
    opened_at = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.opened_at
        ELSE c.opened_at END,
    opened_position = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.opened_position
        ELSE c.opened_position END,
    first_interaction_id = CASE WHEN excluded.opened_position > coalesce(c.opened_position, 0) THEN excluded.first_interaction_id
        ELSE c.first_interaction_id END,
    position = greatest(c.position, excluded.position),
    state = CASE WHEN excluded.position > c.position THEN excluded.state ELSE c.state END,
    since_at = CASE WHEN excluded.position > c.position THEN excluded.since_at ELSE c.since_at END,
    waits_for = CASE WHEN excluded.position > c.position THEN excluded.waits_for ELSE c.waits_for END,
    interactions = CASE WHEN excluded.last_position > c.last_position THEN excluded.interactions
        ELSE c.interactions END,
    last_interaction_id = CASE WHEN excluded.last_position > c.last_position THEN excluded.last_interaction_id
        ELSE c.last_interaction_id END,
    last_position = greatest(c.last_position, excluded.last_position),
    taken_by = CASE WHEN excluded.taken_position > c.taken_position THEN excluded.taken_by ELSE c.taken_by END,
    taken_position = greatest(c.taken_position, excluded.taken_position),
    failed_message_id = CASE WHEN excluded.failed_position > c.failed_position THEN excluded.failed_message_id
        ELSE c.failed_message_id END,
    failed_position = greatest(c.failed_position, excluded.failed_position)
