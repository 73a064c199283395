-- The command is noted by the statement that draws the positions: one trip, and a rival's same command breaks the key.
WITH clock AS MATERIALIZED (SELECT record.tick() AS recorded_at), saved AS (
    INSERT INTO record.decisions (originator_id, originator_version, tenant, topic, type, version, event_id,
        correlation_id, causation_id, state_topic, state, sealed_under, personal, recorded_at)
    SELECT given.stream_id, given.stream_version, given.tenant, given.topic, given.type, given.version,
        given.event_id, given.correlation_id, given.causation_id, given.state_topic, given.state,
        given.sealed_under, given.personal, clock.recorded_at
    FROM clock, unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::uuid[],
        %s::uuid[], %s::uuid[], %s::text[], %s::bytea[], %s::uuid[], %s::bytea[]) WITH ORDINALITY AS given (
        stream_id, stream_version, tenant, topic, type, version, event_id, correlation_id, causation_id,
        state_topic, state, sealed_under, personal, place)
    ORDER BY given.place
    RETURNING position
), noted AS (
    INSERT INTO record.commands (tenant, command_id, position)
    SELECT %s::text, %s::uuid, max(position) FROM saved HAVING %s::uuid IS NOT NULL
)
SELECT position FROM saved ORDER BY position
