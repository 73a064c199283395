-- Folds calls, after fold.sql: the furthest state of each leg, the longest duration, the earliest time. What a call
-- came to is computed anew from all of its facts, so that order and repetition don't count.
INSERT INTO timeline_touched_calls (tenant, interaction_id)
SELECT tenant, interaction_id FROM timeline_new_calls
UNION SELECT c.tenant, c.interaction_id FROM call_facts AS c JOIN timeline_new_calls USING (tenant, event_id)
UNION SELECT c.tenant, c.interaction_id FROM call_facts AS c JOIN timeline_new_withdrawn USING (tenant, event_id)
UNION SELECT c.tenant, c.interaction_id FROM call_facts AS c JOIN timeline_new_erased USING (tenant, address_id);

INSERT INTO call_facts (tenant, event_id, revision, position, interaction_id, address_id, inbox_id,
    channel, direction, leg_id, first_leg, rank, missed, duration_seconds, assurance, recording_id, media_type,
    occurred_at, recorded_at, effective_at, address, url, withdrawn)
SELECT DISTINCT ON (n.tenant, n.event_id)
    n.tenant, n.event_id, n.revision, n.position, n.interaction_id, n.address_id, n.inbox_id,
    n.channel, n.direction, n.leg_id, n.first_leg, n.rank, n.missed, n.duration_seconds, n.assurance, n.recording_id,
    n.media_type, n.occurred_at, n.recorded_at, n.effective_at,
    CASE WHEN kept.personal THEN n.address END,
    CASE WHEN kept.personal THEN n.url END,
    coalesce(w.revision >= n.revision, false)
FROM timeline_new_calls AS n
LEFT JOIN withdrawn AS w ON w.tenant = n.tenant AND w.event_id = n.event_id
LEFT JOIN erased AS e ON e.tenant = n.tenant AND e.address_id = n.address_id
CROSS JOIN LATERAL (SELECT e.tenant IS NULL AND NOT coalesce(w.revision >= n.revision, false) AS personal) AS kept
ORDER BY n.tenant, n.event_id, n.revision DESC, n.position DESC
ON CONFLICT (tenant, event_id) DO UPDATE SET
    revision = EXCLUDED.revision, position = EXCLUDED.position, interaction_id = EXCLUDED.interaction_id,
    address_id = EXCLUDED.address_id, inbox_id = EXCLUDED.inbox_id,
    channel = EXCLUDED.channel, direction = EXCLUDED.direction, leg_id = EXCLUDED.leg_id,
    first_leg = EXCLUDED.first_leg, rank = EXCLUDED.rank, missed = EXCLUDED.missed,
    duration_seconds = EXCLUDED.duration_seconds, assurance = EXCLUDED.assurance,
    recording_id = EXCLUDED.recording_id, media_type = EXCLUDED.media_type, occurred_at = EXCLUDED.occurred_at,
    recorded_at = EXCLUDED.recorded_at, effective_at = EXCLUDED.effective_at, address = EXCLUDED.address,
    url = EXCLUDED.url, withdrawn = EXCLUDED.withdrawn
WHERE (call_facts.revision, call_facts.position) < (EXCLUDED.revision, EXCLUDED.position);

UPDATE call_facts AS c SET withdrawn = true, address = NULL, url = NULL
FROM timeline_new_withdrawn AS w
WHERE c.tenant = w.tenant AND c.event_id = w.event_id AND c.revision <= w.revision AND NOT c.withdrawn;

UPDATE call_facts AS c SET address = NULL, url = NULL
FROM timeline_new_erased AS e
WHERE c.tenant = e.tenant AND c.address_id = e.address_id;

DELETE FROM interactions AS i USING timeline_touched_calls AS t
WHERE i.tenant = t.tenant AND i.interaction_id = t.interaction_id AND i.revision = 0 AND i.kind = 'call';

-- A call whose beginning we never saw is known by what became of it; best by the leg that it began with.
INSERT INTO interactions (tenant, interaction_id, event_id, revision, position, address_id, inbox_id,
    kind, direction, channel, automatic, assurance, occurred_at, recorded_at, effective_at, address)
SELECT DISTINCT ON (c.tenant, c.interaction_id)
    c.tenant, c.interaction_id, c.event_id, 0, c.position, c.address_id, c.inbox_id,
    'call', c.direction, c.channel, 'human', 'none', c.occurred_at, c.recorded_at, c.effective_at, c.address
FROM timeline_touched_calls AS t
JOIN call_facts AS c ON c.tenant = t.tenant AND c.interaction_id = t.interaction_id
WHERE NOT c.withdrawn AND c.rank IS NOT NULL
ORDER BY c.tenant, c.interaction_id, c.first_leg DESC, c.assurance DESC, c.occurred_at, c.event_id
ON CONFLICT DO NOTHING;

-- Ranks of a leg: 1 queued, 2 ringing, 3 in progress; from 4 on it is over, and 8 is completed.
WITH facts AS (
    SELECT c.*, NOT c.withdrawn AS live
    FROM timeline_touched_calls AS t
    JOIN call_facts AS c ON c.tenant = t.tenant AND c.interaction_id = t.interaction_id
),
legs AS (
    SELECT tenant, interaction_id, leg_id, bool_or(first_leg) AS first_leg, max(rank) AS rank,
        bool_or(rank IN (3, 8)) AS answered, max(duration_seconds) AS duration_seconds, min(occurred_at) AS began_at
    FROM facts WHERE live AND rank IS NOT NULL GROUP BY tenant, interaction_id, leg_id
),
folded AS (
    SELECT tenant, interaction_id,
        coalesce(max(rank) FILTER (WHERE first_leg), 0) AS first_rank,
        coalesce(max(rank) FILTER (WHERE NOT first_leg), 0) AS other_rank,
        coalesce(bool_or(answered) FILTER (WHERE NOT first_leg), false) AS taken,
        coalesce(bool_or(rank < 4) FILTER (WHERE NOT first_leg), false) AS others_live,
        coalesce(bool_or(rank = 3) FILTER (WHERE NOT first_leg), false) AS talking,
        max(duration_seconds) AS duration_seconds,
        json_agg(json_build_object(
            'leg_id', leg_id, 'first_leg', first_leg,
            'state', ('{queued,ringing,in_progress,canceled,failed,no_answer,busy,completed}'::text[])[rank],
            'duration_seconds', duration_seconds
        ) ORDER BY first_leg DESC, began_at, leg_id) AS legs
    FROM legs GROUP BY tenant, interaction_id
),
recordings AS (
    SELECT tenant, interaction_id,
        json_agg(json_build_object('attachment_id', recording_id, 'media_type', media_type, 'bytes', 0)
            ORDER BY recording_id) AS clear,
        json_agg(json_build_object('attachment_id', recording_id, 'url', url) ORDER BY recording_id) AS personal
    FROM (
        SELECT tenant, interaction_id, recording_id, max(media_type) AS media_type, max(url) AS url
        FROM facts WHERE live AND recording_id IS NOT NULL GROUP BY tenant, interaction_id, recording_id
    ) AS one GROUP BY tenant, interaction_id
),
whole AS (
    SELECT tenant, interaction_id,
        coalesce(bool_or(missed) FILTER (WHERE live), false) AS missed,
        coalesce(max(assurance) FILTER (WHERE live), max(assurance)) AS assurance,
        coalesce(min(occurred_at) FILTER (WHERE live AND rank IS NOT NULL), min(occurred_at)) AS occurred_at,
        coalesce(min(effective_at) FILTER (WHERE live AND rank IS NOT NULL), min(effective_at)) AS effective_at
    FROM facts GROUP BY tenant, interaction_id
),
judged AS (
    SELECT w.*, f.legs, f.duration_seconds, r.clear, r.personal, i.direction = 'in' AS incoming,
        coalesce(f.first_rank, 0) AS first_rank, coalesce(f.other_rank, 0) AS other_rank,
        coalesce(f.taken, false) AS taken, coalesce(f.talking, false) AS talking,
        coalesce(f.first_rank >= 4 OR (f.other_rank > 0 AND NOT f.others_live), false) OR w.missed AS over
    FROM whole AS w
    JOIN interactions AS i USING (tenant, interaction_id)
    LEFT JOIN folded AS f USING (tenant, interaction_id)
    LEFT JOIN recordings AS r USING (tenant, interaction_id)
),
-- A call is taken once a leg that we connected was answered; one that came in and is over without that was missed.
-- Where we connected nothing, the first leg says all that is known.
named AS (
    SELECT judged.*, CASE
        WHEN first_rank < 4 AND (talking OR (taken AND NOT over)) THEN 'in_progress'
        WHEN taken THEN 'completed'
        WHEN over AND incoming AND (missed OR other_rank > 0) THEN 'missed'
        WHEN other_rank > 0 AND NOT over THEN 'ringing'
        ELSE ('{queued,ringing,in_progress,canceled,failed,no_answer,busy,completed}'::text[])[
            CASE WHEN other_rank > 0 THEN other_rank ELSE first_rank END]
    END AS state
    FROM judged
)
UPDATE interactions AS i SET
    call_state = n.state,
    call_duration_seconds = CASE WHEN n.state <> 'missed' THEN n.duration_seconds END,
    call_legs = n.legs,
    attachments = n.clear,
    attachment_names = CASE WHEN NOT i.withdrawn AND NOT EXISTS (
        SELECT FROM erased AS e WHERE e.tenant = i.tenant AND e.address_id = i.address_id
    ) THEN n.personal END,
    assurance = ('{none,claimed,verified}'::text[])[n.assurance + 1],
    occurred_at = n.occurred_at,
    effective_at = n.effective_at
FROM named AS n
WHERE i.tenant = n.tenant AND i.interaction_id = n.interaction_id AND i.kind = 'call';
