-- Folds the staged batch. Every statement takes a maximum or adds to a set, so that order and repetition don't count.
-- Sorted by key: two writers never wait for each other in a circle.
INSERT INTO withdrawn (tenant, event_id, revision)
SELECT tenant, event_id, max(revision) FROM timeline_new_withdrawn GROUP BY tenant, event_id ORDER BY tenant, event_id
ON CONFLICT (tenant, event_id) DO UPDATE SET revision = EXCLUDED.revision WHERE withdrawn.revision < EXCLUDED.revision;

INSERT INTO erased (tenant, address_id)
SELECT DISTINCT tenant, address_id FROM timeline_new_erased ORDER BY tenant, address_id
ON CONFLICT DO NOTHING;

INSERT INTO interactions (tenant, interaction_id, event_id, revision, position, address_id, inbox_id,
    kind, direction, channel, automatic, assurance, occurred_at, recorded_at, effective_at, attachments,
    address, subject, body, full_text, attachment_names, withdrawn)
SELECT DISTINCT ON (n.tenant, n.interaction_id)
    n.tenant, n.interaction_id, n.event_id, n.revision, n.position, n.address_id, n.inbox_id,
    n.kind, n.direction, n.channel, n.automatic, n.assurance, n.occurred_at, n.recorded_at, n.effective_at,
    n.attachments,
    CASE WHEN kept.personal THEN n.address END,
    CASE WHEN kept.personal THEN n.subject END,
    CASE WHEN kept.personal THEN n.body END,
    CASE WHEN kept.personal THEN n.full_text END,
    CASE WHEN kept.personal THEN n.attachment_names END,
    coalesce(w.revision >= n.revision, false)
FROM timeline_new_messages AS n
LEFT JOIN withdrawn AS w ON w.tenant = n.tenant AND w.event_id = n.event_id
LEFT JOIN erased AS e ON e.tenant = n.tenant AND e.address_id = n.address_id
CROSS JOIN LATERAL (SELECT e.tenant IS NULL AND NOT coalesce(w.revision >= n.revision, false) AS personal) AS kept
ORDER BY n.tenant, n.interaction_id, n.revision DESC, n.position DESC
ON CONFLICT (tenant, interaction_id) DO UPDATE SET
    event_id = EXCLUDED.event_id, revision = EXCLUDED.revision, position = EXCLUDED.position,
    address_id = EXCLUDED.address_id, inbox_id = EXCLUDED.inbox_id,
    kind = EXCLUDED.kind, direction = EXCLUDED.direction, channel = EXCLUDED.channel,
    automatic = EXCLUDED.automatic, assurance = EXCLUDED.assurance, occurred_at = EXCLUDED.occurred_at,
    recorded_at = EXCLUDED.recorded_at, effective_at = EXCLUDED.effective_at, attachments = EXCLUDED.attachments,
    address = EXCLUDED.address, subject = EXCLUDED.subject, body = EXCLUDED.body, full_text = EXCLUDED.full_text,
    attachment_names = EXCLUDED.attachment_names, withdrawn = EXCLUDED.withdrawn
WHERE (interactions.revision, interactions.position) < (EXCLUDED.revision, EXCLUDED.position);

UPDATE interactions AS i
SET withdrawn = true, address = NULL, subject = NULL, body = NULL, full_text = NULL, attachment_names = NULL
FROM timeline_new_withdrawn AS w
WHERE i.tenant = w.tenant AND i.event_id = w.event_id AND i.revision BETWEEN 1 AND w.revision AND NOT i.withdrawn;

-- Decided once for each interaction, often before or after it is here itself.
INSERT INTO joined (tenant, interaction_id, conversation_id, position)
SELECT DISTINCT ON (tenant, interaction_id) tenant, interaction_id, conversation_id, position
FROM timeline_new_joined ORDER BY tenant, interaction_id, position DESC
ON CONFLICT (tenant, interaction_id) DO UPDATE SET conversation_id = EXCLUDED.conversation_id,
    position = EXCLUDED.position
WHERE joined.position < EXCLUDED.position;

-- Numbers stay: the row remains without what the person wrote or is.
UPDATE interactions AS i
SET address = NULL, subject = NULL, body = NULL, full_text = NULL, attachment_names = NULL
FROM timeline_new_erased AS e
WHERE i.tenant = e.tenant AND i.address_id = e.address_id;

-- A revision may have moved a receipt to another interaction: both are folded again.
INSERT INTO timeline_touched (tenant, interaction_id)
SELECT tenant, interaction_id FROM timeline_new_receipts
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_receipts USING (tenant, event_id)
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_withdrawn USING (tenant, event_id)
UNION SELECT r.tenant, r.interaction_id FROM receipts AS r JOIN timeline_new_erased USING (tenant, address_id);

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

-- A message that we never saw is known by its first receipt; one that we have only gets its delivery.
INSERT INTO interactions (tenant, interaction_id, event_id, revision, position, address_id, inbox_id,
    kind, direction, channel, automatic, assurance, occurred_at, recorded_at, effective_at, address,
    delivery_rank, delivery_at)
SELECT DISTINCT ON (f.tenant, f.interaction_id)
    f.tenant, f.interaction_id, f.event_id, 0, f.position, f.address_id, f.inbox_id,
    'message', 'out', f.channel, 'human', 'none', f.occurred_at, f.recorded_at, f.effective_at, f.address,
    best.rank, best.effective_at
FROM timeline_touched AS t
JOIN receipts AS f ON f.tenant = t.tenant AND f.interaction_id = t.interaction_id AND NOT f.withdrawn
CROSS JOIN LATERAL (
    SELECT r.rank, r.effective_at FROM receipts AS r
    WHERE r.tenant = t.tenant AND r.interaction_id = t.interaction_id AND NOT r.withdrawn
    ORDER BY r.rank DESC, r.effective_at LIMIT 1
) AS best
ORDER BY f.tenant, f.interaction_id, f.position
ON CONFLICT (tenant, interaction_id) DO UPDATE SET
    delivery_rank = EXCLUDED.delivery_rank, delivery_at = EXCLUDED.delivery_at;

UPDATE interactions AS i SET delivery_rank = NULL, delivery_at = NULL
FROM timeline_touched AS t
WHERE i.tenant = t.tenant AND i.interaction_id = t.interaction_id AND i.delivery_rank IS NOT NULL AND NOT EXISTS (
    SELECT FROM receipts AS r WHERE r.tenant = t.tenant AND r.interaction_id = t.interaction_id AND NOT r.withdrawn
);
