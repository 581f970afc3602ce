CREATE TABLE cost_sums
(
    `project_id` UInt64 CODEC(T64, ZSTD(1)),
    `dimension` LowCardinality(String) CODEC(ZSTD(1)),
    `hour` DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    `version` UInt64 CODEC(ZSTD(1)),
    `key` LowCardinality(String) CODEC(ZSTD(1)),
    `invocations` UInt64 CODEC(T64, ZSTD(1)),
    `failed` UInt64 CODEC(T64, ZSTD(1)),
    `llm_calls` UInt64 CODEC(T64, ZSTD(1)),
    `tool_calls` UInt64 CODEC(T64, ZSTD(1)),
    `unpriced_calls` UInt64 CODEC(T64, ZSTD(1)),
    `input_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cache_read_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `output_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cost_usd` Decimal(38, 12) CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (project_id, dimension, hour, version, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW cost_sums_of_traces TO cost_sums
(
    `project_id` UInt64,
    `dimension` String,
    `hour` DateTime('UTC'),
    `version` UInt64,
    `key` String,
    `invocations` UInt64,
    `failed` UInt64,
    `llm_calls` UInt64,
    `tool_calls` UInt64,
    `unpriced_calls` UInt64,
    `input_tokens` UInt64,
    `cache_read_tokens` UInt64,
    `output_tokens` UInt64,
    `cost_usd` Decimal(38, 12)
)
AS SELECT
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
        (toUInt64(one.failed), one.llm_calls, one.tool_calls, one.unpriced_calls, ((one.input_uncached_tokens + one.cache_read_tokens) + one.cache_write_5m_tokens) + one.cache_write_1h_tokens, one.cache_read_tokens, one.output_tokens, one.cost_usd) AS whole,
        arrayJoin(arrayConcat([tupleConcat(('feature', toString(one.feature)), whole)], [tupleConcat(('organization_id', toString(one.organization_id)), whole)], arrayMap(x -> ('model', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.models), arrayMap(x -> ('tool', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.tools), arrayMap(x -> ('prompt', toString(x.1), x.2, x.3, x.4, x.5, x.6, toUInt64(0), x.7, x.8), one.prompts))) AS part
    FROM trace_costs AS one
)
GROUP BY
    project_id,
    dimension,
    hour,
    version,
    key;

CREATE TABLE scores
(
    `project_id` UInt64 CODEC(T64, ZSTD(1)),
    `score_id` String CODEC(ZSTD(1)),
    `day` Date DEFAULT toDate(updated_at) CODEC(ZSTD(1)),
    `trace_id` UUID CODEC(ZSTD(1)),
    `span_id` UInt64 CODEC(ZSTD(1)),
    `session_id` String CODEC(ZSTD(1)),
    `name` LowCardinality(String) CODEC(ZSTD(1)),
    `data_type` LowCardinality(String) CODEC(ZSTD(1)),
    `number` Float64 CODEC(ZSTD(1)),
    `label` String CODEC(ZSTD(1)),
    `comment` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `author` String CODEC(ZSTD(1)),
    `time` DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    `deleted` Bool CODEC(ZSTD(1)),
    `updated_at` DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(ZSTD(1)),
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(updated_at)
PARTITION BY toYYYYMM(day)
ORDER BY (project_id, score_id)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE spans
(
    `project_id` UInt64 CODEC(T64, ZSTD(1)),
    `trace_id` UUID CODEC(ZSTD(1)),
    `span_id` UInt64 CODEC(ZSTD(1)),
    `day` Date CODEC(ZSTD(1)),
    `parent_id` Nullable(UInt64) CODEC(ZSTD(1)),
    `start_time` Nullable(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `end_time` Nullable(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `name` Nullable(String) CODEC(ZSTD(1)),
    `kind` Nullable(String) CODEC(ZSTD(1)),
    `status` Nullable(String) CODEC(ZSTD(1)),
    `status_message` Nullable(String) CODEC(ZSTD(1)),
    `error_type` Nullable(String) CODEC(ZSTD(1)),
    `user_id` Nullable(String) CODEC(ZSTD(1)),
    `session_id` Nullable(String) CODEC(ZSTD(1)),
    `organization_id` Nullable(String) CODEC(ZSTD(1)),
    `feature` Nullable(String) CODEC(ZSTD(1)),
    `environment` Nullable(String) CODEC(ZSTD(1)),
    `release` Nullable(String) CODEC(ZSTD(1)),
    `input_type` Nullable(String) CODEC(ZSTD(1)),
    `tags` Nullable(String) CODEC(ZSTD(1)),
    `agent_name` Nullable(String) CODEC(ZSTD(1)),
    `workflow_name` Nullable(String) CODEC(ZSTD(1)),
    `model` Nullable(String) CODEC(ZSTD(1)),
    `request_model` Nullable(String) CODEC(ZSTD(1)),
    `provider` Nullable(String) CODEC(ZSTD(1)),
    `tool_name` Nullable(String) CODEC(ZSTD(1)),
    `tool_call_id` Nullable(String) CODEC(ZSTD(1)),
    `prompt_name` Nullable(String) CODEC(ZSTD(1)),
    `prompt_version` Nullable(String) CODEC(ZSTD(1)),
    `finish_reason` Nullable(String) CODEC(ZSTD(1)),
    `response_id` Nullable(String) CODEC(ZSTD(1)),
    `time_to_first_token_ns` Nullable(UInt64) CODEC(ZSTD(1)),
    `input_uncached_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `cache_read_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `cache_write_5m_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `cache_write_1h_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `output_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `reasoning_tokens` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `cost_usd` Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    `reported_cost_usd` Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    `cost_state` Nullable(String) CODEC(ZSTD(1)),
    `cost_source` Nullable(String) CODEC(ZSTD(1)),
    `input` Nullable(String) CODEC(ZSTD(1)),
    `output` Nullable(String) CODEC(ZSTD(1)),
    `output_bytes` Nullable(UInt64) CODEC(T64, ZSTD(1)),
    `tool_definitions` Nullable(String) CODEC(ZSTD(1)),
    `request_params` Nullable(String) CODEC(ZSTD(1)),
    `attributes` Nullable(String) CODEC(ZSTD(1)),
    `resource` Nullable(String) CODEC(ZSTD(1)),
    `scope` Nullable(String) CODEC(ZSTD(1)),
    `vocabulary` Nullable(String) CODEC(ZSTD(1)),
    `events` Nullable(String) CODEC(ZSTD(1)),
    `links` Nullable(String) CODEC(ZSTD(1)),
    `redactions` Nullable(String) CODEC(ZSTD(1)),
    `log_entries` SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1)),
    `updated_at` DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(ZSTD(1)),
    INDEX words lowerUTF8(replaceAll(replaceAll(concat(ifNull(name, ''), ' ¦ ', ifNull(status_message, ''), ' ¦ ', ifNull(error_type, ''), ' ¦ ', ifNull(input, ''), ' ¦ ', ifNull(output, ''), ' ¦ ', ifNull(events, ''), ' ¦ ', arrayStringConcat(mapValues(log_entries), ' ¦ ')), '\\n', ' '), '\\t', ' ')) TYPE text(tokenizer = splitByNonAlpha) GRANULARITY 100000000,
    INDEX facets arrayStringConcat([ifNull(attributes, ''), ifNull(resource, ''), arrayStringConcat(JSONExtractKeys(ifNull(attributes, '')), ','), arrayStringConcat(JSONExtractKeys(ifNull(resource, '')), ','), concat('prompt_name=', ifNull(prompt_name, '')), concat('prompt_version=', ifNull(prompt_version, ''))], ',') TYPE text(tokenizer = splitByString([',', '{', '}', '[', ']'])) GRANULARITY 100000000,
    INDEX written updated_at TYPE minmax GRANULARITY 1,
    INDEX trace_ids trace_id TYPE bloom_filter(0.0005) GRANULARITY 1
)
ENGINE = CoalescingMergeTree
PARTITION BY day
ORDER BY (project_id, trace_id, span_id)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 17179869184, merge_selector_base = 24, min_compress_block_size = 4096;

CREATE TABLE trace_costs
(
    `project_id` UInt64 CODEC(T64, ZSTD(1)),
    `hour` DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    `version` UInt64 CODEC(ZSTD(1)),
    `trace_id` UUID CODEC(ZSTD(1)),
    `start_time` DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    `user_id` String CODEC(ZSTD(1)),
    `organization_id` LowCardinality(String) CODEC(ZSTD(1)),
    `feature` LowCardinality(String) CODEC(ZSTD(1)),
    `failed` UInt8 CODEC(ZSTD(1)),
    `llm_calls` UInt64 CODEC(T64, ZSTD(1)),
    `tool_calls` UInt64 CODEC(T64, ZSTD(1)),
    `unpriced_calls` UInt64 CODEC(T64, ZSTD(1)),
    `input_uncached_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cache_read_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cache_write_5m_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cache_write_1h_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `output_tokens` UInt64 CODEC(T64, ZSTD(1)),
    `cost_usd` Decimal(38, 12) CODEC(ZSTD(1)),
    `models` Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12))) CODEC(ZSTD(1)),
    `tools` Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12))) CODEC(ZSTD(1)),
    `prompts` Array(Tuple(
        key LowCardinality(String),
        failed UInt64,
        llm_calls UInt64,
        tool_calls UInt64,
        unpriced_calls UInt64,
        input_tokens UInt64,
        output_tokens UInt64,
        cost_usd Decimal(38, 12))) CODEC(ZSTD(1)),
    `written_at` DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (project_id, hour, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE traces
(
    `project_id` UInt64 CODEC(T64, ZSTD(1)),
    `trace_id` UUID CODEC(ZSTD(1)),
    `day` Date CODEC(ZSTD(1)),
    `start_time` SimpleAggregateFunction(min, Nullable(DateTime64(9, 'UTC'))) CODEC(ZSTD(1)),
    `end_time` SimpleAggregateFunction(max, Nullable(DateTime64(9, 'UTC'))) CODEC(ZSTD(1)),
    `has_root` SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    `root_failed` SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    `root_passed` SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    `any_failed` SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    `cost_bound` SimpleAggregateFunction(sum, Decimal(38, 12)) CODEC(ZSTD(1)),
    `tokens_bound` SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    `root_names` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `user_ids` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `session_ids` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `organization_ids` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `features` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `environments` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `models` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `tools` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    `tags` SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    INDEX users user_ids TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX sessions session_ids TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX starts start_time TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (project_id, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE MATERIALIZED VIEW traces_of_spans TO traces
(
    `project_id` UInt64,
    `trace_id` UUID,
    `day` Date,
    `start_time` Nullable(DateTime64(9, 'UTC')),
    `end_time` Nullable(DateTime64(9, 'UTC')),
    `has_root` UInt8,
    `root_failed` UInt8,
    `root_passed` UInt8,
    `any_failed` UInt8,
    `cost_bound` Decimal(38, 12),
    `tokens_bound` UInt64,
    `root_names` Array(String),
    `user_ids` Array(String),
    `session_ids` Array(String),
    `organization_ids` Array(String),
    `features` Array(String),
    `environments` Array(String),
    `models` Array(String),
    `tools` Array(String),
    `tags` Array(String)
)
AS SELECT
    span.project_id AS project_id,
    span.trace_id AS trace_id,
    span.day AS day,
    min(span.start_time) AS start_time,
    max(span.end_time) AS end_time,
    max(ifNull(span.parent_id = 0, 0)) AS has_root,
    max((ifNull(span.parent_id, 0) = 0) AND (ifNull(span.status, '') = 'error')) AS root_failed,
    max((ifNull(span.parent_id, 0) = 0) AND (ifNull(span.status, '') != 'error')) AS root_passed,
    max(ifNull(span.status = 'error', 0)) AS any_failed,
    sum(ifNull(span.cost_usd, 0)) AS cost_bound,
    sum((((ifNull(span.input_uncached_tokens, 0) + ifNull(span.cache_read_tokens, 0)) + ifNull(span.cache_write_5m_tokens, 0)) + ifNull(span.cache_write_1h_tokens, 0)) + ifNull(span.output_tokens, 0)) AS tokens_bound,
    groupUniqArrayIf(ifNull(span.name, ''), (ifNull(span.parent_id, 0) = 0) AND (ifNull(span.name, '') != '')) AS root_names,
    groupUniqArrayIf(ifNull(span.user_id, ''), ifNull(span.user_id, '') != '') AS user_ids,
    groupUniqArrayIf(ifNull(span.session_id, ''), ifNull(span.session_id, '') != '') AS session_ids,
    groupUniqArrayIf(ifNull(span.organization_id, ''), ifNull(span.organization_id, '') != '') AS organization_ids,
    groupUniqArrayIf(ifNull(span.feature, ''), ifNull(span.feature, '') != '') AS features,
    groupUniqArrayIf(ifNull(span.environment, ''), ifNull(span.environment, '') != '') AS environments,
    groupUniqArrayIf(ifNull(span.model, ''), ifNull(span.model, '') != '') AS models,
    groupUniqArrayIf(ifNull(span.tool_name, ''), ifNull(span.tool_name, '') != '') AS tools,
    groupUniqArrayArray(JSONExtract(ifNull(span.tags, '[]'), 'Array(String)')) AS tags
FROM spans AS span
WHERE empty(span.log_entries)
GROUP BY
    span.project_id,
    span.trace_id,
    span.day;
