-- Last of all: what conversations are ordered by follows the interactions of this batch.
UPDATE joined AS j SET effective_at = i.effective_at, item_position = i.position
FROM (
    SELECT tenant, interaction_id FROM timeline_new_messages
    UNION SELECT tenant, interaction_id FROM timeline_new_joined
    UNION SELECT tenant, interaction_id FROM timeline_touched
    UNION SELECT tenant, interaction_id FROM timeline_touched_calls
) AS t
LEFT JOIN interactions AS i ON i.tenant = t.tenant AND i.interaction_id = t.interaction_id
WHERE j.tenant = t.tenant AND j.interaction_id = t.interaction_id
    AND (j.effective_at, j.item_position) IS DISTINCT FROM (i.effective_at, i.position);
