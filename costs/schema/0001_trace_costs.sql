-- distributed: trace_costs BY sipHash64(project_id, trace_id)
CREATE TABLE IF NOT EXISTS trace_costs${suffix} ${on_cluster}
(
    project_id UInt64 CODEC(T64, ZSTD(1)),
    hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    trace_id UUID CODEC(ZSTD(1)),
    start_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    organization_id LowCardinality(String) CODEC(ZSTD(1)),
    feature LowCardinality(String) CODEC(ZSTD(1)),
    failed UInt8 CODEC(ZSTD(1)),
    llm_calls UInt64 CODEC(T64, ZSTD(1)),
    tool_calls UInt64 CODEC(T64, ZSTD(1)),
    unpriced_calls UInt64 CODEC(T64, ZSTD(1)),
    input_uncached_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_read_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_write_5m_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_write_1h_tokens UInt64 CODEC(T64, ZSTD(1)),
    output_tokens UInt64 CODEC(T64, ZSTD(1)),
    cost_usd Decimal(38, 12) CODEC(ZSTD(1)),
    models Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12)
    )) CODEC(ZSTD(1)),
    tools Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12)
    )) CODEC(ZSTD(1)),
    prompts Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12)
    )) CODEC(ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1))
)
ENGINE = ${replicated}MergeTree${replica_path}
PARTITION BY toYYYYMM(hour)
ORDER BY (project_id, hour, trace_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1;
