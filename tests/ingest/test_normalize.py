"""What every span becomes, whichever vocabulary it speaks, and that nothing in a payload can stop it."""

from itertools import product

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.conventions import otel_genai
from ingest.normalize import (
    DEPLOYMENT,
    IDENTITY,
    OWN,
    SDK,
    SPAN_NAME,
    VOCABULARIES,
    _shape_of,
    _vocabularies,
    normalize,
)
from tests.ingest.golden import BEGAN_NS, FOLDER, event, read, record, text_message
from traces import store
from traces.span import Attributes, Event, JSONValue, Kind, Link, Status, Usage


def test_a_plain_span_keeps_everything_it_came_with() -> None:
    span = read({"http.route": "/ask"}, name="GET /ask", resource={"service.name": "web"})

    assert (span.kind, span.name, span.vocabulary) == (Kind.SPAN, "GET /ask", None)
    assert (span.attributes, span.resource) == ({"http.route": "/ask"}, {"service.name": "web"})
    assert (span.parent_id, span.start_ns, span.end_ns) == ("", BEGAN_NS, BEGAN_NS + 5)


def test_a_span_without_an_end_has_none_so_that_one_known_already_stays() -> None:
    assert read(end_ns=0).end_ns is None


def test_a_clock_that_was_set_back_is_kept_as_sent() -> None:
    assert read(end_ns=BEGAN_NS - 1).end_ns == BEGAN_NS - 1


def test_the_platform_s_own_names() -> None:
    span = read(
        {
            "user.id": 42,
            "session.id": "s",
            "organization.id": "o",
            "feature": "search",
            "input.type": "voice",
            "tags": "a, b",
            "deployment.environment.name": "prod",
        }
    )

    assert (span.user_id, span.session_id, span.organization_id) == ("42", "s", "o")
    assert (span.feature, span.input_type, span.tags, span.environment) == (
        "search",
        "voice",
        ("a", "b"),
        "prod",
    )


def test_names_meant_for_this_platform_beat_every_other() -> None:
    span = read(
        {
            "openinference.span.kind": "AGENT",
            "metadata": '{"organization_id": "theirs", "feature": "theirs"}',
            "tag.tags": ["theirs"],
            "tracehouse.organization.id": "ours",
            "tracehouse.feature": "ours",
            "tracehouse.input_type": "ours",
            "tracehouse.tags": ["ours"],
        }
    )

    assert (span.organization_id, span.feature, span.input_type, span.tags) == (
        "ours",
        "ours",
        "ours",
        ("ours",),
    )
    assert span.kind is Kind.AGENT


def test_identity_may_come_from_the_resource_and_the_span_s_own_wins() -> None:
    resource: Attributes = {
        "user.id": "r",
        "organization.id": "o",
        "deployment.environment": "prod",
        "service.version": "9",
    }
    span = read({"user.id": "s"}, resource=resource)

    assert (span.user_id, span.organization_id, span.environment, span.release) == ("s", "o", "prod", "9")


def test_generic_content_is_used_only_where_nothing_better_is() -> None:
    generic: Attributes = {"input": '{"q": 1}', "output": "fine"}
    plain = read(generic)
    better = read(generic | {"gen_ai.tool.name": "f", "gen_ai.tool.call.arguments": '{"a": 1}'})

    assert (plain.input, plain.output, plain.attributes) == ({"q": 1}, "fine", {})
    assert (better.input, better.output) == ({"a": 1}, "fine")
    assert (better.attributes or {})["input"] == '{"q": 1}'


def test_a_tool_name_marks_a_tool() -> None:
    span = read({"tool.name": "find"})

    assert (span.kind, span.tool_name) == (Kind.TOOL, "find")


def test_usage_is_never_mixed_from_two_conventions() -> None:
    span = read(
        {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 100,
            "gen_ai.usage.input_tokens": 90,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.cache_read.input_tokens": 50,
        }
    )

    assert span.usage == Usage(input_uncached=100)


def test_structured_messages_of_another_convention_beat_flat_text_on_a_model_call() -> None:
    both: Attributes = {
        "input.value": "flat",
        "input.mime_type": "text/plain",
        "gen_ai.input.messages": [text_message("user", "structured")],
    }

    assert read({"openinference.span.kind": "LLM"} | both).input == [text_message("user", "structured")]
    assert read({"openinference.span.kind": "CHAIN"} | both).input == "flat"


def test_after_its_dialect_a_span_is_read_in_the_general_conventions() -> None:
    many: Attributes = {
        "openinference.span.kind": "LLM",
        "traceloop.association.properties.session_id": "traceloop's",
        "gen_ai.conversation.id": "otel's",
    }

    assert read(many).session_id == "otel's"
    assert read(many | {"langfuse.session.id": "langfuse's"}).session_id == "langfuse's"
    assert read(many | {"langfuse.session.id": "langfuse's"}).kind is Kind.LLM


def test_a_span_shown_under_a_better_name_keeps_its_own() -> None:
    span = read({"traceloop.entity.name": "find"}, name="find.tool")

    assert (span.name, (span.attributes or {})[SPAN_NAME]) == ("find", "find.tool")
    assert SPAN_NAME not in (read({"traceloop.entity.name": "find"}, name="find").attributes or {})


def test_statuses() -> None:
    assert [read(status_code=code).status for code in (0, 1, 2, 9)] == [
        Status.UNSET,
        Status.OK,
        Status.ERROR,
        Status.UNSET,
    ]
    assert read({"error.type": "timeout"}).status is Status.ERROR


def test_the_last_exception_explains_an_error() -> None:
    exceptions = tuple(
        event("exception", {"exception.type": kind, "exception.message": f"{kind} happened"})
        for kind in ("FirstError", "LastError")
    )
    silent = read(events=exceptions)
    outspoken = read(status_code=2, status_message="gave up", events=exceptions)
    handled = read(status_code=1, events=exceptions)

    assert (silent.status, silent.status_message, silent.error_type) == (
        Status.ERROR,
        "LastError happened",
        "LastError",
    )
    assert (outspoken.status_message, outspoken.error_type) == ("gave up", "LastError")
    assert (handled.status, handled.status_message, handled.error_type) == (Status.OK, None, None)


@pytest.mark.parametrize(
    ("output", "size"), [("abc", 3), ("é€", 5), ({"a": "é"}, 10), ('{"a":  1}', 7), (None, None)]
)
def test_the_size_of_an_output_is_its_bytes(output: JSONValue, size: int | None) -> None:
    assert read({"output": output}).output_bytes == size


# Every name that any rule looks at, and names with an index inside.
KNOWN = sorted(
    {
        name
        for module in VOCABULARIES
        for value in vars(module).values()
        if isinstance(value, (str, tuple, frozenset))
        for name in ([value] if isinstance(value, str) else value)
        if isinstance(name, str) and ("." in name or ":" in name) and not name.endswith(".")
    }
    | {name for table in (IDENTITY, DEPLOYMENT, OWN) for names in table.values() for name in names}
    | {"input", "output", "model", "tool.name", "metadata", "tag.tags", "error.type", "server.address"}
    | {f"{side}.{part}" for side in ("input", "output") for part in ("value", "mime_type")}
    | {f"gen_ai.{side}.messages" for side in ("input", "output")}
    | {"gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.prompt", "gen_ai.completion"}
    | {"gen_ai.response.finish_reasons", "gen_ai.request.temperature", "llm.finish_reason", "llm.cost.total"}
    | {
        f"llm.input_messages.{n}.message.{field}"
        for n in ("0", "1", "x")
        for field in ("role", "content", "tool_call_id")
    }
    | {
        f"llm.output_messages.0.message.contents.0.message_content.{f}"
        for f in ("type", "text", "image.image.url")
    }
    | {
        f"llm.output_messages.0.message.tool_calls.0.tool_call.{f}"
        for f in ("id", "function.name", "function.arguments")
    }
    | {"llm.tools.0.tool.json_schema", "retrieval.documents.0.document.metadata", "llm.prompts.0.prompt.text"}
    | {f"langfuse.observation.{name}" for name in ("input", "output", "level", "status_message", "metadata")}
    | {"langfuse.trace.input", "langfuse.trace.name", "langfuse.trace.metadata.feature", "operation.name"}
    | {"ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.reasoning", "ai.toolCall.args"}
    | {"ai.telemetry.metadata.tags", "ai.telemetry.metadata.langfusePrompt", "ai.settings.temperature"}
    | {f"gen_ai.prompt.0.{field}" for field in ("role", "content", "tool_calls.0.arguments", "tool_call_id")}
    | {"traceloop.association.properties.user_id", "llm.request.functions.0.parameters", "db.system"}
)
SCOPES = ("", "ai", "gen_ai", "gcp.vertex.agent", "langfuse-sdk")
EVENT_NAMES = (
    "exception",
    "tool.output",
    "db.query.result",
    "ai.stream.firstChunk",
    *otel_genai.ROLES_OF_EVENTS,
    otel_genai.CHOICE_EVENT,
    otel_genai.DETAILS_EVENT,
)
WORDS = (
    "LLM",
    "llm",
    "llm_request",
    "strands-agents",
    '"TOOL"',
    "openlit",
    "chat",
    "execute_tool",
    "tools/call",
    "ai.generateText.doGenerate",
    "generation",
    "tool",
    "chroma",
    "2025-11-24T10:00:00Z",
    "[{",
    '{"role": "user"}',
    '"2"',
    "NaN",
    "[NaN]",
    "12",
    "stop",
)
# Names of vocabularies without a dot, and keys that stand for any under a prefix.
KNOWN += [
    "events",
    "all_messages_events",
    "final_result",
    "request_data",
    "response_data",
    "hidden_params",
    "prompt",
]
KNOWN += [
    "model_request_parameters",
    "tool_arguments",
    "tool_response",
    "user_prompt",
    "tool_input",
    "input_tokens",
]
KNOWN += [
    "cache_read_tokens",
    "ttft_ms",
    "success",
    "error",
    "thread_id",
    "tools",
    "mlflow.traceTag.tenant_id",
]
KNOWN += ["langsmith.span.kind", "langsmith.metadata.user_id", "lmnr.span.type", "litellm.metadata.feature"]
KNOWN += ["gen_ai.prompt.0.message.role", "gen_ai.completion.0.function_call.name", "gen_ai.tool.status"]
KNOWN += [
    "gen_ai.aggregated_usage.input_tokens",
    "gen_ai.completion.0.function_call.arguments",
    "logfire.msg",
]
PARTS: tuple[JSONValue, ...] = (
    [{"role": "user", "parts": [{"type": ["odd"]}, {"type": "text", "text": 1}, None, "x"]}],
    [{"role": "tool", "content": {"text": []}, "tool_calls": [None, {"function": 3}]}],
    {"messages": [{"role": "user", "content": "hi"}]},
    [{"event.name": "gen_ai.choice", "message": {"role": [], "tool_calls": 3}}, {"role": "tool", "id": 1}],
    {"choices": [{"message": None}, {"message": {"role": "user"}}, 3], "usage": {"inputTokens": "x"}},
    {
        "generations": [[{"message": {"lc": 1, "id": [3], "kwargs": {"content": {}}}}]],
        "output": [{"type": []}],
    },
    {"params": {"name": [], "arguments": 3}, "items": [3, {"role": None}], "messages": [[3]], "system": {}},
    '[{"role": "tool", "content": [{"type": "tool-result", "output": {"value": 1}}]}]',
    '{"contents": [{"parts": [{"functionCall": {"args": []}}]}], "config": {"tools": [1]}, "content": {}}',
    '{"input": 3, "output": "4", "total": -1, "prompt_tokens": 2, "prompt_tokens_details": {"cached_tokens": []}}',
    '{"anthropic": {"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 9}}, "cacheReadInputTokens": 1}}',
    '{"messages": [], "tools": {}, "system": [1], "prompt": {"a": 1}, "args": [], "kwargs": 2}',
    '[{"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": [], "arguments": "{"}}]}]',
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
    | st.sampled_from(PARTS)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("role", "content", "parts", "type", "text")) | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
attribute_sets = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=12), values, max_size=8)
event_sets = st.lists(
    st.builds(
        Event,
        name=st.sampled_from(EVENT_NAMES) | st.text(max_size=6),
        time_ns=st.integers(0, 2**63),
        attributes=st.dictionaries(
            st.sampled_from(
                ("content", "role", "id", "tool_calls", "message", "gen_ai.event.content", "exception.type")
            ),
            values,
            max_size=4,
        ),
    ),
    max_size=3,
).map(tuple)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    attributes=attribute_sets,
    resource=attribute_sets,
    events=event_sets,
    status_code=st.integers(0, 3),
    scope=st.sampled_from(SCOPES),
)
def test_no_payload_stops_it_and_every_span_can_be_stored(
    attributes: Attributes, resource: Attributes, events: tuple[Event, ...], status_code: int, scope: str
) -> None:
    sent = record(attributes, resource=resource, events=events, status_code=status_code, scope=scope)

    span = normalize(sent, project_id=7)

    assert (span.project_id, span.trace_id, span.span_id) == (7, sent.trace_id, sent.span_id)
    assert (span.parent_id, span.start_ns, span.end_ns) == (sent.parent_id, sent.start_ns, sent.end_ns)
    assert span.kind is not None
    assert span.status is not None
    assert all(n is None or 0 <= n < 2**54 for n in msgspec.structs.astuple(span.usage))
    assert span.reported_cost is None or span.reported_cost >= 0
    store.json_lines([span])


@given(attributes=attribute_sets)
def test_normalizing_changes_nothing_in_what_was_sent(attributes: Attributes) -> None:
    before = msgspec.json.encode(attributes)

    normalize(record(attributes), project_id=7)

    assert msgspec.json.encode(attributes) == before


def test_links_are_kept() -> None:
    link = Link(trace_id="c" * 32, span_id="d" * 16)

    span = normalize(msgspec.structs.replace(record(), links=(link,)), project_id=7)

    assert span.links == (link,)


def test_every_recorded_payload_has_a_test() -> None:
    tests = "".join(path.read_text() for path in (FOLDER.parent / "conventions").glob("test_*.py"))

    assert [path.stem for path in FOLDER.glob("*.json") if f'"{path.stem}"' not in tests] == []


# Said here once more: a name that is missing in MARKS must be found.
RECOGNISED_BY = (
    "span.type",
    "telemetry.sdk.name",
    "gen_ai.system",
    "gen_ai.provider.name",
    "db.system",
    "operation.name",
)
TELLING: tuple[JSONValue, ...] = (
    *("llm_request", "openlit", "strands-agents", "chroma", "ai.x", "other"),
    *(1, True, None, ["ai.x"]),
)


@pytest.mark.parametrize("name", RECOGNISED_BY)
@pytest.mark.parametrize("others", [(), ("gen_ai.x",)])
def test_what_is_remembered_of_a_set_of_names_is_what_each_vocabulary_says(
    name: str, others: tuple[str, ...]
) -> None:
    """Spans of the same names one after the other, so that each finds what another left behind."""
    names = (name, *others)
    prefixes = frozenset(one.partition(".")[0] for one in names)
    sdks, events = ("", "openlit", "opentelemetry"), (None, "exception", otel_genai.CHOICE_EVENT)
    spans = list(product(TELLING, SCOPES, sdks, events))
    for value, scope, sdk, event_name in [*spans, *reversed(spans)]:
        sent = record(
            dict[str, JSONValue].fromkeys(names, value),
            scope=scope,
            resource={SDK: sdk} if sdk else {},
            events=(Event(name=event_name, time_ns=1),) if event_name else (),
        )
        said = {one.NAME for one in VOCABULARIES if one.recognise(sent, prefixes)}
        marked = [one.NAME for one in VOCABULARIES if one.is_dialect(sent, prefixes)]
        dialect, found = _vocabularies(sent, _shape_of(names))
        assert {one.NAME for one in found} == said
        assert dialect == next(iter(marked), found[0].NAME if found else None)
