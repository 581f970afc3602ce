"""What one vocabulary says of one span: the canonical fields it could fill, `None` where it is silent."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from traces.span import Attributes, JSONValue, Kind, Usage


class Reading(msgspec.Struct, kw_only=True):
    """Fields mean what they mean in `traces.span.Span`. `consumed` names the attributes whose content now lives
    in a field (messages, tool definitions), so that large text is not stored a second time among the attributes."""

    kind: Kind | None = None
    name: str | None = None
    agent_name: str | None = None
    workflow_name: str | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    time_to_first_token_ns: int | None = None
    usage: Usage | None = None
    reported_cost: Decimal | None = None
    input: JSONValue = None
    output: JSONValue = None
    tool_definitions: JSONValue = None
    request_params: Attributes | None = None
    user_id: str | None = None
    session_id: str | None = None
    organization_id: str | None = None
    feature: str | None = None
    environment: str | None = None
    release: str | None = None
    input_type: str | None = None
    tags: tuple[str, ...] | None = None
    prompt_variables: Attributes | None = None  # what filled the prompt's template
    evaluations: tuple[Attributes, ...] | None = None  # results, in the names of the OTel event of one
    error_type: str | None = None
    error_message: str | None = None
    consumed: frozenset[str] = frozenset()


def present(table: Mapping[str, tuple[str, ...]], names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Of each field's names in `table`, those that are among `names`; fields without any are left out."""
    found = {field: tuple(one for one in candidates if one in names) for field, candidates in table.items()}
    return {field: candidates for field, candidates in found.items() if candidates}
