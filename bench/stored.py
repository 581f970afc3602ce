"""Puts a million spans straight into the store, by SQL, so that reading can be measured."""

from dataclasses import dataclass
from datetime import timedelta

from clickhouse_connect.driver.client import Client

TRACES = 200_000
SPANS_A_TRACE = 5
LONG_TRACES = 60
SPANS_A_LONG_TRACE = 50
TRACES_AN_INSERT = 20_000
DAYS = 7
MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5", "gpt-4.1-mini", "gemini-2.5-flash"]
PROVIDERS = ["anthropic", "anthropic", "openai", "gcp.gemini"]  # of the model in the same place
TOOLS = ["hubspot_query", "ga4_query", "web_search", "warehouse_query", "order_status"]
FEATURES = ["analyze", "draft", "query"]
# The first eight digits of the long traces' ids, which makes them known; the other ids are random.
LONG_PREFIX = "5050aaaa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Traces [first, first + traces) of `spans` spans each; `prefix` starts their ids unless it is empty."""

    prefix: str
    first: int
    traces: int
    spans: int


def fill(client: Client, project_id: int) -> int:
    """Stores the traces, spread evenly over the last seven days; returns how many spans."""
    for first in range(0, TRACES, TRACES_AN_INSERT):
        batch = Batch(prefix="", first=first, traces=TRACES_AN_INSERT, spans=SPANS_A_TRACE)
        insert(client, project_id, batch)
    long = Batch(prefix=LONG_PREFIX, first=0, traces=LONG_TRACES, spans=SPANS_A_LONG_TRACE)
    insert(client, project_id, long)
    return TRACES * SPANS_A_TRACE + LONG_TRACES * SPANS_A_LONG_TRACE


def long_trace_id(number: int) -> str:
    return f"{LONG_PREFIX}{number:024x}"


def insert(
    client: Client, project_id: int, batch: Batch, *, spread: timedelta = timedelta(days=DAYS)
) -> None:
    """Stores one batch, spread evenly over the time before now."""
    client.command(
        _INSERT,
        parameters={
            "project_id": project_id,
            "prefix": batch.prefix,
            "first": batch.first,
            "spans": batch.spans,
            "rows": batch.traces * batch.spans,
            "spread_ms": spread // timedelta(milliseconds=1),
            "models": MODELS,
            "providers": PROVIDERS,
            "tools": TOOLS,
            "features": FEATURES,
        },
        settings={"max_partitions_per_insert_block": 1000, "max_execution_time": 600},
    )


# A trace is a root (place 0), then model calls and tools in turn. Texts are words of a vocabulary of 2,000
# chosen by a hash that favours the first ones, about 1 kB of input and output a span.
_INSERT = """
INSERT INTO spans
(
    project_id, trace_id, span_id, day, parent_id, start_time, end_time, name, kind, status, status_message,
    user_id, session_id, organization_id, feature, environment, model, request_model, provider, tool_name,
    response_id, input_uncached_tokens, cache_read_tokens, output_tokens, cost_usd, cost_state, cost_source,
    input, output, output_bytes, attributes, resource, scope, vocabulary
)
WITH
    numbered AS
    (
        SELECT
            number,
            {first:UInt64} + intDiv(number, {spans:UInt64}) AS trace,
            number % {spans:UInt64} AS place,
            cityHash64(trace, 1) AS chance,
            cityHash64(number, {first:UInt64}, {prefix:String}) AS own_chance,
            now64(3) - toIntervalMillisecond(10000 + cityHash64(trace, 2) % {spread_ms:UInt64}) AS began
        FROM numbers({rows:UInt64})
    ),
    described AS
    (
        SELECT
            *,
            place = 0 AS is_root,
            place % 2 = 1 AS is_call,
            NOT is_root AND NOT is_call AS is_tool,
            toUInt64(2000 * pow((chance % 1000003) / 1000003, 2)) AS user,
            {models:Array(String)}[1 + chance % 4] AS its_model,
            {providers:Array(String)}[1 + chance % 4] AS its_provider,
            {tools:Array(String)}[1 + own_chance % 5] AS its_tool,
            {features:Array(String)}[1 + intDiv(chance, 7) % 3] AS its_feature,
            intDiv(chance, 11) % 20 = 0 AS failed,
            began + toIntervalMillisecond(is_root ? 0 : 20 + (place - 1) * 900) AS started,
            toUInt64(is_root ? 900 * {spans:UInt64} + chance % 9000 : 100 + own_chance % 800) AS milliseconds,
            700 + own_chance % 9000 AS tokens_in,
            50 + own_chance % 700 AS tokens_out,
            arrayStringConcat(
                arrayMap(
                    n -> 'w' || toString(toUInt16(2000 * pow((cityHash64(own_chance, n) % 9973) / 9973, 2))),
                    range(is_call ? 130 : 50)
                ),
                ' '
            ) AS words
        FROM numbered
    )
SELECT
    {project_id:UInt64},
    toUUID(id),
    cityHash64(trace, place, {prefix:String}) AS span,
    toDate(started),
    is_root ? 0 : cityHash64(trace, 0, {prefix:String}),
    toDateTime64(started, 9, 'UTC'),
    toDateTime64(started + toIntervalMillisecond(milliseconds), 9, 'UTC'),
    multiIf(is_root, 'agent.invocation', is_call, 'chat ' || its_model, 'execute_tool ' || its_tool),
    multiIf(is_root, 'agent', is_call, 'llm', 'tool'),
    failed AND (is_root OR place = {spans:UInt64} - 1) ? 'error' : 'ok',
    failed AND (is_root OR place = {spans:UInt64} - 1) ? 'context window exceeded' : NULL,
    is_root ? 'user-' || toString(user) : NULL,
    is_root ? 'session-' || toString(user) || '-' || toString(chance % 20) : NULL,
    is_root ? 'org-' || toString(user % 50) : NULL,
    is_root ? its_feature : NULL,
    'production',
    is_call ? its_model : NULL,
    is_call ? its_model : NULL,
    is_call ? its_provider : NULL,
    is_tool ? its_tool : NULL,
    is_call ? 'chatcmpl-' || base58Encode(toString(own_chance)) : NULL,
    is_call ? tokens_in : NULL,
    is_call ? 512 : NULL,
    is_call ? tokens_out : NULL,
    is_call ? toDecimal128(tokens_in * 0.000003 + tokens_out * 0.000015, 12) : NULL,
    is_call ? 'computed' : NULL,
    is_call ? 'genai-prices' : NULL,
    '[{"role":"user","parts":[{"type":"text","content":"' || words || '"}]}]',
    '[{"role":"assistant","parts":[{"type":"text","content":"' || substring(words, 1, 300) || '"}]}]',
    360,
    '{"gen_ai.request.temperature":0.2,"gen_ai.request.max_tokens":4096}',
    '{"service.name":"bench-agent","deployment.environment.name":"production"}',
    'bench',
    'otel-genai'
FROM
(
    SELECT
        *,
        lower(if(
            {prefix:String} = '',
            leftPad(hex(chance), 16, '0') || leftPad(hex(cityHash64(trace, 3)), 16, '0'),
            {prefix:String} || leftPad(hex(trace), 24, '0')
        )) AS id
    FROM described
)
"""
