-- Folds receipts, after fold.sql and the sendings of our messages.
-- A revision may have moved a receipt to another interaction: both are folded again.
INSERT INTO timeline_touched (tenant, interaction_id)
SELECT tenant, interaction_id FROM timeline_new_receipts
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_receipts USING (tenant, event_id)
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_withdrawn USING (tenant, event_id)
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_erased USING (tenant, address_id)
UNION SELECT tenant, message_id FROM timeline_new_sendings
UNION SELECT tenant, receipts_as FROM timeline_new_sendings WHERE receipts_as IS NOT NULL;

INSERT INTO receipts (tenant, event_id, revision, position, interaction_id, address_id, inbox_id,
    channel, rank, occurred_at, recorded_at, effective_at, address, withdrawn)
SELECT DISTINCT ON (n.tenant, n.event_id)
    n.tenant, n.event_id, n.revision, n.position, n.interaction_id, n.address_id, n.inbox_id,
    n.channel, n.rank, n.occurred_at, n.recorded_at, n.effective_at,
    CASE WHEN e.tenant IS NULL AND NOT coalesce(w.revision >= n.revision, false) THEN n.address END,
    coalesce(w.revision >= n.revision, false)
FROM timeline_new_receipts AS n
LEFT JOIN withdrawn AS w ON w.tenant = n.tenant AND w.event_id = n.event_id
LEFT JOIN erased AS e ON e.tenant = n.tenant AND e.address_id = n.address_id
ORDER BY n.tenant, n.event_id, n.revision DESC, n.position DESC
ON CONFLICT (tenant, event_id) DO UPDATE SET
    revision = EXCLUDED.revision, position = EXCLUDED.position, interaction_id = EXCLUDED.interaction_id,
    address_id = EXCLUDED.address_id, inbox_id = EXCLUDED.inbox_id,
    channel = EXCLUDED.channel, rank = EXCLUDED.rank, occurred_at = EXCLUDED.occurred_at,
    recorded_at = EXCLUDED.recorded_at, effective_at = EXCLUDED.effective_at, address = EXCLUDED.address,
    withdrawn = EXCLUDED.withdrawn
WHERE (receipts.revision, receipts.position) < (EXCLUDED.revision, EXCLUDED.position);

UPDATE receipts AS r SET withdrawn = true, address = NULL
FROM timeline_new_withdrawn AS w
WHERE r.tenant = w.tenant AND r.event_id = w.event_id AND r.revision <= w.revision AND NOT r.withdrawn;

UPDATE receipts AS r SET address = NULL
FROM timeline_new_erased AS e
WHERE r.tenant = e.tenant AND r.address_id = e.address_id;

DELETE FROM interactions AS i USING timeline_touched AS t
WHERE i.tenant = t.tenant AND i.interaction_id = t.interaction_id AND i.revision = 0;

-- What became of a message of ours is told by its own facts, and receipts for it make no row beside it.
DELETE FROM timeline_touched AS t USING sendings AS s WHERE s.tenant = t.tenant AND s.message_id = t.interaction_id;
UPDATE timeline_touched AS t SET is_ours = true
FROM sendings AS s WHERE s.tenant = t.tenant AND s.receipts_as = t.interaction_id;

-- A message that we never saw is known by its first receipt; one that we have only gets its delivery.
INSERT INTO interactions (tenant, interaction_id, event_id, revision, position, address_id, inbox_id,
    kind, direction, channel, automatic, assurance, occurred_at, recorded_at, effective_at, address,
    delivery_state, delivery_at)
SELECT DISTINCT ON (f.tenant, f.interaction_id)
    f.tenant, f.interaction_id, f.event_id, 0, f.position, f.address_id, f.inbox_id,
    'message', 'out', f.channel, 'human', 'none', f.occurred_at, f.recorded_at, f.effective_at, f.address,
    ('{queued,sent,failed,delivered,read}'::text[])[best.rank], best.effective_at
FROM timeline_touched AS t
JOIN receipts AS f ON f.tenant = t.tenant AND f.interaction_id = t.interaction_id AND NOT f.withdrawn
CROSS JOIN LATERAL (
    SELECT r.rank, r.effective_at FROM receipts AS r
    WHERE r.tenant = t.tenant AND r.interaction_id = t.interaction_id AND NOT r.withdrawn
    ORDER BY r.rank DESC, r.effective_at LIMIT 1
) AS best
WHERE NOT t.is_ours
ORDER BY f.tenant, f.interaction_id, f.position
ON CONFLICT (tenant, interaction_id) DO UPDATE SET
    delivery_state = EXCLUDED.delivery_state, delivery_at = EXCLUDED.delivery_at;

UPDATE interactions AS i SET delivery_state = NULL, delivery_at = NULL
FROM timeline_touched AS t
WHERE i.tenant = t.tenant AND i.interaction_id = t.interaction_id AND i.delivery_state IS NOT NULL AND NOT EXISTS (
    SELECT FROM receipts AS r
    WHERE r.tenant = t.tenant AND r.interaction_id = t.interaction_id AND NOT r.withdrawn AND NOT t.is_ours
);
