-- Folds what became of our messages, after receipts.sql: computed anew from all facts of each message, so that order and
-- repetition don't count. Ranks are those of outgoing.py.
UPDATE sendings AS s SET address = NULL
FROM interactions AS i JOIN timeline_new_erased USING (tenant, address_id)
WHERE s.tenant = i.tenant AND s.message_id = i.interaction_id AND s.address IS NOT NULL;

UPDATE sendings AS s SET address = NULL
FROM timeline_new_sendings AS n
JOIN interactions AS i ON i.tenant = n.tenant AND i.interaction_id = n.message_id
JOIN erased AS e ON e.tenant = i.tenant AND e.address_id = i.address_id
WHERE s.tenant = n.tenant AND s.message_id = n.message_id AND s.address IS NOT NULL;

WITH touched AS (
    SELECT DISTINCT tenant, message_id FROM timeline_new_sendings
),
judged AS (
    SELECT t.tenant, t.message_id, way.channel, way.inbox_id, way.address, way.hold_until AS quiet_until,
        best.why, best.hold_until AS retry_at,
        begun.occurred_at IS NOT NULL AND best.state IN ('in_doubt', 'failed', 'sent') AND begun.position > best.position
            AS begins_anew,
        best.state, best.occurred_at, begun.occurred_at AS begun_at
    FROM touched AS t
    CROSS JOIN LATERAL (
        SELECT s.* FROM sendings AS s
        WHERE s.tenant = t.tenant AND s.message_id = t.message_id AND s.rank IS NOT NULL
        ORDER BY s.rank DESC, s.position LIMIT 1
    ) AS best
    LEFT JOIN LATERAL (
        SELECT s.* FROM sendings AS s
        WHERE s.tenant = t.tenant AND s.message_id = t.message_id AND s.channel IS NOT NULL
        ORDER BY s.round DESC, s.position DESC LIMIT 1
    ) AS way ON true
    LEFT JOIN LATERAL (
        SELECT s.position, s.occurred_at FROM sendings AS s
        WHERE s.tenant = t.tenant AND s.message_id = t.message_id AND s.again AND best.rank < 1000000000
        ORDER BY s.position DESC LIMIT 1
    ) AS begun ON true
),
told AS (
    SELECT judged.*,
        CASE WHEN NOT begins_anew AND state <> 'queued' THEN state WHEN quiet_until IS NULL THEN 'queued' ELSE 'held' END
            AS shown,
        CASE WHEN begins_anew THEN begun_at ELSE occurred_at END AS at
    FROM judged
)
UPDATE interactions AS i SET
    channel = coalesce(t.channel, i.channel),
    inbox_id = t.inbox_id,
    address = coalesce(t.address, i.address),
    delivery_state = t.shown,
    delivery_at = t.at,
    delivery_why = CASE WHEN NOT t.begins_anew THEN t.why END,
    delivery_hold_until = CASE WHEN t.shown = 'held' THEN t.quiet_until WHEN NOT t.begins_anew THEN t.retry_at END
FROM told AS t
WHERE i.tenant = t.tenant AND i.interaction_id = t.message_id AND i.revision > 0;
