-- distributed: traces BY sipHash64(project_id, trace_id)
CREATE TABLE IF NOT EXISTS traces${suffix} ${on_cluster}
(
    project_id UInt64 CODEC(T64, ZSTD(1)),
    trace_id UUID CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    start_time SimpleAggregateFunction(min, Nullable(DateTime64(9, 'UTC'))) CODEC(ZSTD(1)),
    end_time SimpleAggregateFunction(max, Nullable(DateTime64(9, 'UTC'))) CODEC(ZSTD(1)),
    has_root SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    root_failed SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    root_passed SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    any_failed SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    cost_bound SimpleAggregateFunction(sum, Decimal(38, 12)) CODEC(ZSTD(1)),
    tokens_bound SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    root_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    user_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    session_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    organization_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    features SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    environments SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    models SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    tools SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    tags SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1))
)
ENGINE = ${replicated}AggregatingMergeTree${replica_path}
PARTITION BY day
ORDER BY (project_id, trace_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_of_spans${suffix} ${on_cluster} TO traces${suffix} AS
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
GROUP BY
    span.project_id,
    span.trace_id,
    span.day;
