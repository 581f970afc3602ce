-- distributed: cost_sums BY sipHash64(project_id, hour)
CREATE TABLE IF NOT EXISTS cost_sums${suffix} ${on_cluster}
(
    project_id UInt64 CODEC(T64, ZSTD(1)),
    dimension LowCardinality(String) CODEC(ZSTD(1)),
    hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    key LowCardinality(String) CODEC(ZSTD(1)),
    invocations UInt64 CODEC(T64, ZSTD(1)),
    failed UInt64 CODEC(T64, ZSTD(1)),
    llm_calls UInt64 CODEC(T64, ZSTD(1)),
    tool_calls UInt64 CODEC(T64, ZSTD(1)),
    unpriced_calls UInt64 CODEC(T64, ZSTD(1)),
    input_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_read_tokens UInt64 CODEC(T64, ZSTD(1)),
    output_tokens UInt64 CODEC(T64, ZSTD(1)),
    cost_usd Decimal(38, 12) CODEC(ZSTD(1))
)
ENGINE = ${replicated}SummingMergeTree${replica_path}
PARTITION BY toYYYYMM(hour)
ORDER BY (project_id, dimension, hour, version, key)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS cost_sums_of_traces${suffix} ${on_cluster} TO cost_sums${suffix} AS
SELECT
    project_id,
    part.1 AS dimension,
    hour,
    version,
    part.2 AS key,
    count() AS invocations,
    sum(part.3) AS failed,
    sum(part.4) AS llm_calls,
    sum(part.5) AS tool_calls,
    sum(part.6) AS unpriced_calls,
    sum(part.7) AS input_tokens,
    sum(part.8) AS cache_read_tokens,
    sum(part.9) AS output_tokens,
    sum(part.10) AS cost_usd
FROM
(
    SELECT
        one.project_id AS project_id,
        one.hour AS hour,
        one.version AS version,
        (
            toUInt64(one.failed),
            one.llm_calls,
            one.tool_calls,
            one.unpriced_calls,
            one.input_uncached_tokens + one.cache_read_tokens + one.cache_write_5m_tokens + one.cache_write_1h_tokens,
            one.cache_read_tokens,
            one.output_tokens,
            one.cost_usd
        ) AS whole,
        arrayJoin(arrayConcat(
            [tupleConcat(('feature', toString(one.feature)), whole)],
            [tupleConcat(('organization_id', toString(one.organization_id)), whole)],
            arrayMap(x -> ('model', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.models),
            arrayMap(x -> ('tool', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.tools),
            arrayMap(x -> ('prompt', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.prompts)
        )) AS part
    FROM trace_costs${suffix} AS one
)
GROUP BY
    project_id,
    dimension,
    hour,
    version,
    key;
