-- What log records say of a span, each record under a key of its own, so that a later part adds to the earlier ones.
-- Of two values of one key the greater stays: a record sent twice is one entry, whatever the order of arrival, and
-- a value of a higher `revision` (the first thing in it) replaces a lower one for good.
ALTER TABLE spans${suffix} ${on_cluster}
    ADD COLUMN IF NOT EXISTS log_entries SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1))
    AFTER redactions;
-- The table over all nodes of a cluster; on one node it is the same table.
ALTER TABLE spans ${on_cluster}
    ADD COLUMN IF NOT EXISTS log_entries SimpleAggregateFunction(maxMap, Map(String, String))
    AFTER redactions;

-- An entry of a log record says nothing that traces are found by.
ALTER TABLE traces_of_spans${suffix} ${on_cluster} MODIFY QUERY
SELECT
    span.project_id AS project_id,
    span.trace_id AS trace_id,
    span.day AS day,
    min(span.start_time) AS start_time,
    max(span.end_time) AS end_time,
    max(ifNull(span.parent_id = 0, 0)) AS has_root,
    max(ifNull(span.parent_id, 0) = 0 AND ifNull(span.status, '') = 'error') AS root_failed,
    max(ifNull(span.parent_id, 0) = 0 AND ifNull(span.status, '') != 'error') AS root_passed,
    max(ifNull(span.status = 'error', 0)) AS any_failed,
    sum(ifNull(span.cost_usd, 0)) AS cost_bound,
    sum(ifNull(span.input_uncached_tokens, 0) + ifNull(span.cache_read_tokens, 0)
        + ifNull(span.cache_write_5m_tokens, 0) + ifNull(span.cache_write_1h_tokens, 0)
        + ifNull(span.output_tokens, 0)) AS tokens_bound,
    groupUniqArrayIf(ifNull(span.name, ''), ifNull(span.parent_id, 0) = 0 AND ifNull(span.name, '') != '') AS root_names,
    groupUniqArrayIf(ifNull(span.user_id, ''), ifNull(span.user_id, '') != '') AS user_ids,
    groupUniqArrayIf(ifNull(span.session_id, ''), ifNull(span.session_id, '') != '') AS session_ids,
    groupUniqArrayIf(ifNull(span.organization_id, ''), ifNull(span.organization_id, '') != '') AS organization_ids,
    groupUniqArrayIf(ifNull(span.feature, ''), ifNull(span.feature, '') != '') AS features,
    groupUniqArrayIf(ifNull(span.environment, ''), ifNull(span.environment, '') != '') AS environments,
    groupUniqArrayIf(ifNull(span.model, ''), ifNull(span.model, '') != '') AS models,
    groupUniqArrayIf(ifNull(span.tool_name, ''), ifNull(span.tool_name, '') != '') AS tools,
    groupUniqArrayArray(JSONExtract(ifNull(span.tags, '[]'), 'Array(String)')) AS tags
FROM spans${suffix} AS span
WHERE empty(span.log_entries)
GROUP BY
    span.project_id,
    span.trace_id,
    span.day;
