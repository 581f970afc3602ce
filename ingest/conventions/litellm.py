"""LiteLLM: its proxy and its OpenTelemetry callback add costs, keys, teams and errors to the GenAI names."""

from decimal import Decimal

from ingest.flattened import MAX_INDEX_DIGITS
from ingest.messages import canonical, tool_call
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, SESSION, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets, counts_within
from ingest.values import content, dollars, first_text, summed_dollars, text
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "litellm"

GUARDRAIL = "litellm.guardrail.name"
PROVIDER_MODEL = "litellm.provider.model"
COST = ("litellm.cost.total", "litellm.cost.total_cost", "gen_ai.cost.total_cost")
# What a cost is made of; beside these stand what a part holds already, discounts and margins.
COST_PARTS = (
    ("litellm.cost.input", "litellm.cost.output", "litellm.cost.tool_usage"),
    ("litellm.cost.input_cost", "litellm.cost.output_cost", "litellm.cost.tool_usage_cost"),
    ("gen_ai.cost.input_cost", "gen_ai.cost.output_cost", "gen_ai.cost.tool_usage_cost"),
)
# Not `metadata.user_api_key_user_id`: that is who owns the key, and every name of one who asks comes before.
USER = (
    "litellm.end_user.id",
    "metadata.user_api_key_end_user_id",
    "user.id",
    "enduser.id",
    "gen_ai.user",
    "llm.user",
)
TEAM = (
    "litellm.team.id",
    "litellm.team.alias",
    "metadata.user_api_key_org_id",
    "metadata.user_api_key_team_id",
)
METADATA = ("litellm.metadata.", "metadata.")
USAGE_OBJECT = "metadata.usage_object"
CACHE_COUNTS = frozenset(
    {
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    }
)
OUTPUT = "gen_ai.output.messages"
CALLED = "gen_ai.completion.0.function_call."
OFFERED = "llm.request.functions."


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return "litellm" in prefixes or "hidden_params" in prefixes


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    consumed: set[str] = set()
    metadata = told(attributes, METADATA)
    return Reading(
        kind=Kind.GUARDRAIL if text(attributes.get(GUARDRAIL)) else None,
        model=_model(attributes),
        usage=_usage(attributes),
        reported_cost=_cost(attributes),
        output=_output(attributes, consumed),
        tool_definitions=_tool_definitions(attributes, consumed),
        user_id=first_text(attributes, USER),
        session_id=metadata.text(SESSION),
        organization_id=first_text(attributes, TEAM) or metadata.text(ORGANIZATION),
        feature=metadata.text(FEATURE),
        input_type=metadata.text(INPUT_TYPE),
        tags=metadata.texts(("tags",)),
        error_type=text(attributes.get("litellm.provider.error.code")),
        error_message=first_text(attributes, ("error.message", "error")),
        consumed=frozenset(consumed),
    )


def _model(attributes: Attributes) -> str | None:
    """What answered, else what the proxy sent to the provider. `gen_ai.request.model` may be a name that only the
    proxy knows; its own is `{provider}/{model}`."""
    if answered := text(attributes.get("gen_ai.response.model")):
        return answered
    sent = text(attributes.get(PROVIDER_MODEL))
    if sent is None:
        return None
    provider, slash, model = sent.partition("/")
    return model if slash and provider == attributes.get("gen_ai.system") else sent


def _usage(attributes: Attributes) -> Usage | None:
    """The callback leaves the cached part out of the GenAI names, which would bill it in full; it is told only in
    the usage as the provider sent it."""
    sent = attributes.get(USAGE_OBJECT)
    if sent is None or not CACHE_COUNTS.isdisjoint(attributes):
        return None
    told = counts_within(content(sent))
    return buckets(
        input=told.get("prompt_tokens"),
        output=told.get("completion_tokens"),
        cache_read=told.get("cache_read_input_tokens") or told.get("cached_tokens"),
        cache_write=told.get("cache_creation_input_tokens"),
        cache_write_1h=told.get("ephemeral_1h_input_tokens"),
        reasoning=told.get("reasoning_tokens"),
        total=told.get("total_tokens"),
    )


def _cost(attributes: Attributes) -> Decimal | None:
    for name in COST:
        if (found := dollars(attributes.get(name))) is not None:
            return found
    for names in COST_PARTS:
        if (found := summed_dollars(attributes.get(name) for name in names)) is not None:
            return found
    return None


def _output(attributes: Attributes, consumed: set[str]) -> JSONValue:
    """The callback writes a requested call beside the message that should hold it."""
    name = text(attributes.get(f"{CALLED}name"))
    said = canonical(content(attributes.get(OUTPUT)))
    if name is None or not said or not isinstance(first := said[0], dict) or first.get("parts"):
        return None
    consumed.update((OUTPUT, f"{CALLED}name", f"{CALLED}arguments"))
    call = tool_call(None, name, attributes.get(f"{CALLED}arguments"))
    return [{**first, "parts": [call]}, *said[1:]]


def _tool_definitions(attributes: Attributes, consumed: set[str]) -> JSONValue:
    """The tools offered, spread over names: `llm.request.functions.{n}.name`."""
    if f"{OFFERED}0.name" not in attributes:
        return None
    found: dict[int, Attributes] = {}
    for name, value in attributes.items():
        index, _, field = name[len(OFFERED) :].partition(".") if name.startswith(OFFERED) else ("", "", "")
        if field and index.isdecimal() and len(index) <= MAX_INDEX_DIGITS:
            found.setdefault(int(index), {})[field] = content(value)
            consumed.add(name)
    return [tool for _, tool in sorted(found.items())]
