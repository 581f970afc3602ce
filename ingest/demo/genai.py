"""Attributes of agent, model and tool spans in the OpenTelemetry GenAI vocabulary."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traces.span import Attributes, JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asked, and through which feature; only root spans carry it."""

    user: str
    session: str
    organization: str
    feature: str
    input_type: str = "text"
    tags: tuple[str, ...] = ()

    def attributes(self) -> Attributes:
        return {
            "user.id": self.user,
            "session.id": self.session,
            "tracehouse.organization.id": self.organization,
            "tracehouse.feature": self.feature,
            "tracehouse.input_type": self.input_type,
            **({"tracehouse.tags": list(self.tags)} if self.tags else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    provider: str
    name: str
    temperature: float = 0.2
    max_tokens: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Counts as the convention wants them: `input` includes what was read from and written to the cache."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def attributes(self) -> Attributes:
        counts: Attributes = {
            "gen_ai.usage.input_tokens": self.input,
            "gen_ai.usage.output_tokens": self.output,
        }
        if self.cache_read:
            counts["gen_ai.usage.cache_read.input_tokens"] = self.cache_read
        if self.cache_write:
            counts["gen_ai.usage.cache_creation.input_tokens"] = self.cache_write
        if self.reasoning:
            counts["gen_ai.usage.reasoning.output_tokens"] = self.reasoning
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    name: str
    version: str
    system: str
    tools: tuple[Attributes, ...] = ()

    def attributes(self) -> Attributes:
        return {
            "gen_ai.prompt.name": self.name,
            "gen_ai.prompt.version": self.version,
            "gen_ai.system_instructions": to_json([text_part(self.system)]),
            **({"gen_ai.tool.definitions": to_json(list(self.tools))} if self.tools else {}),
        }


def to_json(value: JSONValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_part(text: str) -> Attributes:
    return {"type": "text", "content": text}


def call_part(call_id: str, name: str, arguments: Attributes) -> Attributes:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def result_part(call_id: str, response: JSONValue) -> Attributes:
    return {"type": "tool_call_response", "id": call_id, "response": response}


def message(role: str, *parts: "str | Attributes", finish_reason: str = "") -> Attributes:
    built: Attributes = {
        "role": role,
        "parts": [text_part(part) if isinstance(part, str) else part for part in parts],
    }
    if finish_reason:
        built["finish_reason"] = finish_reason
    return built


def function(name: str, description: str, **parameters: str) -> Attributes:
    """A tool definition whose parameters are all text, each with its description."""
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {key: {"type": "string", "description": what} for key, what in parameters.items()},
            "required": list(parameters),
        },
    }


def agent(name: str, caller: Caller, *, asked: str, answered: str | None) -> Attributes:
    attributes: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.input.messages": to_json([message("user", asked)]),
        **caller.attributes(),
    }
    if answered is not None:
        attributes["gen_ai.output.messages"] = to_json([message("assistant", answered, finish_reason="stop")])
    return attributes


def call(
    model: Model,
    prompt: Prompt,
    messages: Sequence[Attributes],
    answer: Attributes,
    tokens: Tokens,
    *,
    first_chunk: float = 0.0,
) -> Attributes:
    """A model call that answered; `first_chunk` is the seconds until the first token of a stream."""
    finish_reason = answer.get("finish_reason", "stop")
    attributes = {
        **_request(model, prompt, messages),
        **tokens.attributes(),
        "gen_ai.response.model": model.name,
        "gen_ai.response.finish_reasons": [finish_reason],
        "gen_ai.output.messages": to_json([answer]),
    }
    if first_chunk:
        attributes["gen_ai.request.stream"] = True
        attributes["gen_ai.response.time_to_first_chunk"] = first_chunk
    return attributes


def failed_call(model: Model, prompt: Prompt, messages: Sequence[Attributes], error_type: str) -> Attributes:
    """A model call that was refused: no answer, no tokens."""
    return {**_request(model, prompt, messages), "error.type": error_type}


def tool(
    name: str,
    call_id: str,
    arguments: Mapping[str, JSONValue],
    result: JSONValue = None,
    *,
    error_type: str = "",
) -> Attributes:
    attributes: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.call.arguments": to_json(dict(arguments)),
    }
    if result is not None:
        attributes["gen_ai.tool.call.result"] = result if isinstance(result, str) else to_json(result)
    if error_type:
        attributes["error.type"] = error_type
    return attributes


def _request(model: Model, prompt: Prompt, messages: Sequence[Attributes]) -> Attributes:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": model.provider,
        "gen_ai.request.model": model.name,
        "gen_ai.request.temperature": model.temperature,
        "gen_ai.request.max_tokens": model.max_tokens,
        **prompt.attributes(),
        "gen_ai.input.messages": to_json(list(messages)),
    }
