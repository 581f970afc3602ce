-- distributed: scores BY sipHash64(project_id, score_id)
CREATE TABLE IF NOT EXISTS scores${suffix} ${on_cluster}
(
    project_id UInt64 CODEC(T64, ZSTD(1)),
    score_id String CODEC(ZSTD(1)),
    day Date DEFAULT toDate(updated_at) CODEC(ZSTD(1)),
    trace_id UUID CODEC(ZSTD(1)),
    span_id UInt64 CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    data_type LowCardinality(String) CODEC(ZSTD(1)),
    number Float64 CODEC(ZSTD(1)),
    label String CODEC(ZSTD(1)),
    comment String CODEC(ZSTD(1)),
    source LowCardinality(String) CODEC(ZSTD(1)),
    author String CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    deleted Bool CODEC(ZSTD(1)),
    updated_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(ZSTD(1)),
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ${replicated}ReplacingMergeTree(${replica_then}updated_at)
PARTITION BY toYYYYMM(day)
ORDER BY (project_id, score_id)
SETTINGS
    index_granularity = 512,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
