-- Folds the staged batch; order and repetition don't count. Nothing analyses the staging tables: joins go by indexes.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;

INSERT INTO withdrawn (tenant, event_id, revision)
SELECT tenant, event_id, max(revision) FROM search_new_withdrawn GROUP BY tenant, event_id ORDER BY tenant, event_id
ON CONFLICT (tenant, event_id) DO UPDATE SET revision = EXCLUDED.revision WHERE withdrawn.revision < EXCLUDED.revision;

INSERT INTO erased (tenant, address_id)
SELECT DISTINCT tenant, address_id FROM search_new_erased ORDER BY tenant, address_id
ON CONFLICT DO NOTHING;

INSERT INTO entries (tenant, interaction_id, event_id, revision, position, address_id, effective_at, words)
SELECT DISTINCT ON (n.tenant, n.interaction_id)
    n.tenant, n.interaction_id, n.event_id, n.revision, n.position, n.address_id, n.effective_at,
    CASE WHEN e.tenant IS NULL AND NOT coalesce(w.revision >= n.revision, false) THEN array_to_tsvector(n.words) END
FROM search_new_entries AS n
LEFT JOIN withdrawn AS w ON w.tenant = n.tenant AND w.event_id = n.event_id
LEFT JOIN erased AS e ON e.tenant = n.tenant AND e.address_id = n.address_id
ORDER BY n.tenant, n.interaction_id, n.revision DESC, n.position DESC
ON CONFLICT (tenant, interaction_id) DO UPDATE SET
    event_id = EXCLUDED.event_id, revision = EXCLUDED.revision, position = EXCLUDED.position,
    address_id = EXCLUDED.address_id, effective_at = EXCLUDED.effective_at, words = EXCLUDED.words
WHERE (entries.revision, entries.position) < (EXCLUDED.revision, EXCLUDED.position);

INSERT INTO addresses (tenant, address_id, address)
SELECT DISTINCT n.tenant, n.address_id, n.address FROM search_new_entries AS n
LEFT JOIN erased AS e ON e.tenant = n.tenant AND e.address_id = n.address_id
WHERE n.address IS NOT NULL AND e.tenant IS NULL
ORDER BY n.tenant, n.address_id, n.address
ON CONFLICT DO NOTHING;

UPDATE entries AS e SET words = NULL
FROM search_new_withdrawn AS w
WHERE e.tenant = w.tenant AND e.event_id = w.event_id AND e.revision <= w.revision AND e.words IS NOT NULL;

UPDATE entries AS e SET words = NULL
FROM search_new_erased AS n
WHERE e.tenant = n.tenant AND e.address_id = n.address_id AND e.words IS NOT NULL;

DELETE FROM addresses AS a USING search_new_erased AS n
WHERE a.tenant = n.tenant AND a.address_id = n.address_id;

DELETE FROM search_new_entries;
DELETE FROM search_new_withdrawn;
DELETE FROM search_new_erased;

SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
SET LOCAL enable_seqscan = on;
