-- Folds the staged batch: first of all parts. Every statement takes a maximum or adds to a set, so that order and repetition don't count.
-- Sorted by key: two writers never wait for each other in a circle.
INSERT INTO withdrawn (tenant, event_id, revision)
SELECT tenant, event_id, max(revision) FROM timeline_new_withdrawn GROUP BY tenant, event_id ORDER BY tenant, event_id
ON CONFLICT (tenant, event_id) DO UPDATE SET revision = EXCLUDED.revision WHERE withdrawn.revision < EXCLUDED.revision;

INSERT INTO erased (tenant, address_id)
SELECT DISTINCT tenant, address_id FROM timeline_new_erased ORDER BY tenant, address_id
ON CONFLICT DO NOTHING;

INSERT INTO interactions (tenant, interaction_id, event_id, revision, position, address_id, inbox_id,
    kind, direction, channel, automatic, assurance, occurred_at, recorded_at, effective_at, attachments,
    agent_id, address, subject, body, full_text, attachment_names, withdrawn)
SELECT DISTINCT ON (n.tenant, n.interaction_id)
    n.tenant, n.interaction_id, n.event_id, n.revision, n.position, n.address_id, n.inbox_id,
    n.kind, n.direction, n.channel, n.automatic, n.assurance, n.occurred_at, n.recorded_at, n.effective_at,
    n.attachments, n.agent_id,
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
    agent_id = EXCLUDED.agent_id, address = EXCLUDED.address, subject = EXCLUDED.subject, body = EXCLUDED.body, full_text = EXCLUDED.full_text,
    attachment_names = EXCLUDED.attachment_names, withdrawn = EXCLUDED.withdrawn
WHERE (interactions.revision, interactions.position) < (EXCLUDED.revision, EXCLUDED.position);

UPDATE interactions AS i
SET withdrawn = true, address = NULL, subject = NULL, body = NULL, full_text = NULL, attachment_names = NULL
FROM timeline_new_withdrawn AS w
WHERE i.tenant = w.tenant AND i.event_id = w.event_id AND i.revision BETWEEN 1 AND w.revision AND NOT i.withdrawn;

-- Decided once for each interaction, often before or after it is here itself. What it is ordered by is copied from it.
INSERT INTO joined (tenant, interaction_id, conversation_id, position, effective_at, item_position)
SELECT DISTINCT ON (n.tenant, n.interaction_id)
    n.tenant, n.interaction_id, n.conversation_id, n.position, i.effective_at, i.position
FROM timeline_new_joined AS n
LEFT JOIN interactions AS i ON i.tenant = n.tenant AND i.interaction_id = n.interaction_id
ORDER BY n.tenant, n.interaction_id, n.position DESC
ON CONFLICT (tenant, interaction_id) DO UPDATE SET conversation_id = EXCLUDED.conversation_id,
    position = EXCLUDED.position
WHERE joined.position < EXCLUDED.position;

-- Numbers stay: the row remains without what the person wrote or is.
UPDATE interactions AS i
SET address = NULL, subject = NULL, body = NULL, full_text = NULL, attachment_names = NULL
FROM timeline_new_erased AS e
WHERE i.tenant = e.tenant AND i.address_id = e.address_id;
