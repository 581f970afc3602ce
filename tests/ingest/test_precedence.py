"""Which vocabulary a span is in, and which of several wins a field: the two orders, told once more as tables."""

from itertools import combinations

import pytest

from tests.ingest.golden import event, read, text_message
from traces.span import Attributes, JSONValue, Kind, Usage

# The mark of each dialect, in the order in which they are looked for.
MARKS: tuple[tuple[str, Attributes], ...] = (
    ("langfuse", {"langfuse.environment": "prod"}),
    ("openinference", {"openinference.span.kind": "CHAIN"}),
    ("pydantic_ai", {"pydantic_ai.all_messages": "[]"}),
    ("vercel_ai", {"ai.operationId": "ai.generateText"}),
    ("google_adk", {"gcp.vertex.agent.event_id": "e"}),
    ("mlflow", {"mlflow.spanType": '"CHAIN"'}),
    ("langsmith", {"langsmith.span.kind": "chain"}),
    ("laminar", {"lmnr.span.type": "DEFAULT"}),
    ("litellm", {"litellm.call_id": "c"}),
    ("claude_code", {"span.type": "claude_code.tool"}),
    ("traceloop", {"gen_ai.prompt.1.content": "Hi"}),
    ("openlit", {"telemetry.sdk.name": "openlit"}),
    ("otel_genai", {"gen_ai.operation.name": "chat"}),
)


@pytest.mark.parametrize(("first", "second"), list(combinations(MARKS, 2)), ids=lambda mark: mark[0])
def test_the_first_mark_on_a_span_is_its_dialect(
    first: tuple[str, Attributes], second: tuple[str, Attributes]
) -> None:
    assert read(second[1]).vocabulary == second[0]
    assert read(second[1] | first[1]).vocabulary == first[0]


@pytest.mark.parametrize(
    ("attributes", "scope", "dialect"),
    [
        ({"hidden_params": "{}"}, "", "litellm"),
        ({"operation.name": "ai.embed"}, "", "vercel_ai"),
        ({"ai.model.id": "m"}, "ai", "vercel_ai"),
        ({"gen_ai.completion.3.tool_calls.0.name": "f"}, "", "traceloop"),
        ({"traceloop.span.kind": "task"}, "", "traceloop"),
        ({}, "langfuse-sdk", "langfuse"),
        ({}, "pydantic-ai", "pydantic_ai"),
        ({}, "gcp.vertex.agent", "google_adk"),
        ({}, "com.anthropic.claude_code.tracing", "claude_code"),
        ({"http.route": "/"}, "", None),
    ],
)
def test_other_marks(attributes: Attributes, scope: str, dialect: str | None) -> None:
    assert read(attributes, scope=scope).vocabulary == dialect


@pytest.mark.parametrize(
    "name",
    [
        "input.value",
        "llm.invocation_parameters",
        "mlflow.spanInputs",
        "langsmith.metadata.user_id",
        "lmnr.span.input",
        "logfire.msg",
        "ai.telemetry.functionId",
        "llm.request.type",
        "traceloop.workflow.name",
    ],
)
def test_names_that_stand_on_spans_of_others_mark_no_dialect(name: str) -> None:
    assert read({name: "x", "gen_ai.operation.name": "chat"}).vocabulary == "otel_genai"
    assert read({name: "x", "litellm.call_id": "c"}).vocabulary == "litellm"


# Names of one field, the first to win. The dialect (Pydantic AI, by its scope) has no name for these.
CHAINS: dict[str, tuple[str, ...]] = {
    "model": (
        "langfuse.observation.model.name",
        "gen_ai.response.model",
        "llm.model_name",
        "llm.request.model",
        "mlflow.llm.model",
        "langsmith.metadata.ls_model_name",
        "litellm.provider.model",
        "model",
    ),
    "provider": (
        "gen_ai.provider.name",
        "llm.provider",
        "gen_ai.system",
        "llm.vendor",
        "mlflow.llm.provider",
        "langsmith.metadata.ls_provider",
    ),
    "user_id": (
        "langfuse.user.id",
        "user.id",
        "enduser.id",
        "traceloop.association.properties.user_id",
        "mlflow.trace.user",
        "langsmith.metadata.user_id",
        "lmnr.association.properties.user_id",
        "litellm.end_user.id",
        "user_id",
        "metadata.user_api_key_user_id",
    ),
    "session_id": (
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",
        "traceloop.association.properties.session_id",
        "mlflow.trace.session",
        "langsmith.metadata.thread_id",
        "lmnr.association.properties.session_id",
        "litellm.metadata.session_id",
        "session_id",
    ),
    "organization_id": (
        "tracehouse.organization.id",
        "langfuse.trace.metadata.organization_id",
        "traceloop.association.properties.customer_id",
        "mlflow.traceTag.tenant_id",
        "langsmith.metadata.organization_id",
        "lmnr.association.properties.metadata.organization_id",
        "litellm.team.id",
        "organization.id",
    ),
    "reported_cost": (
        "gen_ai.usage.cost",
        "llm.cost.total",
        "litellm.cost.total",
    ),
}
# So that each convention is read, whichever of its names is left out.
BESIDE: Attributes = {"gen_ai.x": 1, "input.value": "x", "llm.request.type": "x", "litellm.call_id": "c"}


@pytest.mark.parametrize(
    ("field", "place"), [(field, place) for field, chain in CHAINS.items() for place in range(len(chain))]
)
def test_the_first_name_of_a_field_wins(field: str, place: int) -> None:
    names = CHAINS[field][place:]
    sent: Attributes = {name: str(place + n + 1) for n, name in enumerate(names)}
    if field == "provider":
        sent |= {"litellm.call_id": "c"}

    span = read(BESIDE | sent, scope="pydantic-ai")

    wins = str(place + 1)
    assert str(getattr(span, field)) == (f"{wins}.000000000000" if field == "reported_cost" else wins)


def test_the_own_dialect_comes_before_every_general_name() -> None:
    span = read(
        {
            "mlflow.spanType": '"TOOL"',
            "mlflow.spanInputs": '{"q": 1}',
            "input.value": "generic",
            "gen_ai.tool.call.arguments": "{}",
            "user.id": "general",
        }
    )

    assert (span.vocabulary, span.kind, span.input) == ("mlflow", Kind.TOOL, {"q": 1})


def test_the_dialect_beside_langfuse_comes_second() -> None:
    sent: Attributes = {
        "langfuse.environment": "prod",
        "mlflow.spanType": '"TOOL"',
        "mlflow.spanInputs": '{"q": 1}',
        "gen_ai.operation.name": "chat",
    }

    assert (read(sent).vocabulary, read(sent).kind, read(sent).input) == ("langfuse", Kind.TOOL, {"q": 1})
    assert read(sent | {"langfuse.observation.type": "span"}).kind is Kind.SPAN


def test_counts_in_old_names_come_after_those_of_openinference_and_are_never_mixed_with_them() -> None:
    old: Attributes = {"gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 3}
    openinference: Attributes = {"llm.token_count.prompt": 100}

    assert read(old).usage == Usage(input_uncached=7, output=3)
    assert read(old | openinference).usage == Usage(input_uncached=100)
    assert read(old | openinference | {"gen_ai.usage.input_tokens": 50}).usage == Usage(
        input_uncached=50, output=3
    )


def test_content_in_old_names_comes_after_that_of_openinference() -> None:
    said = (event("gen_ai.user.message", {"content": "old"}),)
    flattened: Attributes = {"llm.input_messages.0.message.content": "new", "llm.model_name": "m"}

    assert read({"gen_ai.x": 1} | flattened, events=said).input == [text_message("user", "new")]
    assert read({"gen_ai.x": 1, "llm.model_name": "m"}, events=said).input == [text_message("user", "old")]


@pytest.mark.parametrize(
    ("kind", "wins"), [("chat", [text_message("user", "Hi")]), ("invoke_agent", "flat"), ("plan", "flat")]
)
def test_messages_beat_flat_values_on_model_calls_and_on_no_other_span(kind: str, wins: JSONValue) -> None:
    span = read(
        {
            "gen_ai.operation.name": kind,
            "gen_ai.input.messages": [text_message("user", "Hi")],
            "gen_ai.output.messages": [text_message("user", "Hi")],
            "input.value": "flat",
            "output.value": "flat",
        }
    )

    assert (span.vocabulary, span.input, span.output) == ("otel_genai", wins, wins)


def test_a_session_of_the_program_beats_a_conversation_that_a_framework_made_up() -> None:
    made_up: Attributes = {"gen_ai.conversation.id": "run", "gen_ai.operation.name": "invoke_agent"}
    program: Attributes = {"session.id": "s-4"}

    assert read(made_up).session_id == "run"
    assert read(made_up | program).session_id == "s-4"
    assert read(made_up, resource=program).session_id == "s-4"
    assert read(made_up, resource={"session.id": ""}).session_id == "run"
    assert read(made_up | {"langfuse.session.id": "l"}, resource=program).session_id == "l"
    assert (read(made_up, resource=program).attributes or {})["gen_ai.conversation.id"] == "run"


def test_whoever_asks_comes_before_the_owner_of_the_key_wherever_it_is_told() -> None:
    owned: Attributes = {"litellm.call_id": "c", "metadata.user_api_key_user_id": "owner"}

    assert read(owned).user_id == "owner"
    assert read(owned | {"langsmith.metadata.user_id": "asker"}).user_id == "asker"
    assert read(owned, resource={"user.id": "asker"}).user_id == "asker"


def test_the_environment_of_the_deployment_comes_before_that_of_a_vendor_s_name() -> None:
    resource: Attributes = {"deployment.environment": "staging", "langfuse.environment": "theirs"}
    vendor: Attributes = {"gen_ai.environment": "dev"}

    assert read(vendor, resource=resource).environment == "staging"
    assert read(vendor).environment == "dev"
    openlit: Attributes = {"telemetry.sdk.name": "openlit"}
    assert read(vendor, resource=resource | openlit).environment == "dev"
