"""OpenLIT: GenAI names (read there), and a few of its own; marked by the SDK's name on the resource."""

from collections.abc import Mapping

from ingest.messages import canonical
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.values import content, first_text, take, text, texts
from traces.span import JSONValue

NAME = "openlit"

SDK = "telemetry.sdk.name"
USER = ("user.id", "gen_ai.request.user")
ORGANIZATION = "openlit.organization.id"
ERROR_TYPE = ("error.type", "gen_ai.framework.error.type")
WORKFLOW: Mapping[str, str] = {
    "gen_ai.input.messages": "gen_ai.workflow.input",
    "gen_ai.output.messages": "gen_ai.workflow.output",
}

EVENTS: Mapping[str, str] = {
    "gen_ai.input.messages": "gen_ai.content.prompt",
    "gen_ai.output.messages": "gen_ai.content.completion",
}


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return record.resource.get(SDK) == NAME or record.attributes.get(SDK) == NAME


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    consumed: set[str] = set()
    return Reading(
        user_id=first_text(attributes, USER),
        organization_id=text(record.resource.get(ORGANIZATION)) or text(attributes.get(ORGANIZATION)),
        tags=texts(attributes.get("gen_ai.framework.tags")),
        environment=text(attributes.get("gen_ai.environment")),
        error_type=first_text(attributes, ERROR_TYPE),
        error_message=text(attributes.get("gen_ai.framework.error.message")),
        release=text(record.resource.get("service.version"))
        or text(attributes.get("openlit.agent.version_hash")),
        input=_of_workflow(record, "gen_ai.input.messages", consumed),
        output=_of_workflow(record, "gen_ai.output.messages", consumed),
        consumed=frozenset(consumed),
    )


def _of_workflow(record: OtlpSpan, name: str, consumed: set[str]) -> JSONValue:
    """What went into or came out of a workflow, where the span holds no messages."""
    attributes = record.attributes
    if content(attributes.get(name)) is not None or any(
        event.name == EVENTS[name] for event in record.events
    ):
        return None
    found = take(attributes, (WORKFLOW[name],), consumed)
    return canonical(found) or found
