"""Spans to spans without personal data: the step that runs before anything is written anywhere.

Pure. Every string that a span carries is scanned, wherever it stands: values and keys, at any depth, JSON inside
strings included. All strings of a batch are scanned in one pass; only spans with a hit are rebuilt.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from ingest.detectors import Detector, Hit, find
from ingest.policy import Action, Policy
from traces.span import Event, JSONValue, Link, Span

# Long whole numbers may be card numbers; shorter ones are counts and times.
MIN_CARD_NUMBER = 10**12
IDENTITY_FIELDS = ("user_id", "session_id", "organization_id")
TEXT_FIELDS = (
    "name",
    "status_message",
    "error_type",
    "feature",
    "environment",
    "release",
    "input_type",
    "agent_name",
    "workflow_name",
    "model",
    "request_model",
    "provider",
    "tool_name",
    "tool_call_id",
    "prompt_name",
    "prompt_version",
    "finish_reason",
    "scope",
)
CONTENT_FIELDS = ("input", "output", "tool_definitions", "request_params", "attributes", "resource")
_SEPARATOR = "\x00"
_texts = attrgetter(*TEXT_FIELDS, *IDENTITY_FIELDS)
_contents = attrgetter(*CONTENT_FIELDS)


def redact(spans: Sequence[Span], policy: Policy) -> list[Span]:
    """The spans with every personal value replaced, each with the counts of what was replaced."""
    strings = [_strings_of(span) for span in spans]
    replaced = _replacements(set().union(*strings), policy)
    return [
        span if replaced.keys().isdisjoint(found) else _redact_span(span, replaced, policy)
        for span, found in zip(spans, strings, strict=True)
    ]


def redact_text(text: str, policy: Policy) -> str:
    """One string on its own, for messages that do not belong to a span."""
    replacement = _replacements({text}, policy).get(text)
    return replacement.text if replacement else text


def _strings_of(span: Span) -> list[str]:
    """Every string that the span carries, keys included."""
    found: list[str] = [value for value in _texts(span) if value]
    found.extend(span.tags or ())
    values: list[JSONValue] = list(_contents(span))
    for event in span.events or ():
        found.append(event.name)
        values.append(event.attributes)
    values.extend(link.attributes for link in span.links or ())
    _collect(values, found)
    return found


def _collect(values: list[JSONValue], found: list[str]) -> None:
    """Moves the strings in `values`, at any depth, to `found`."""
    while values:
        value = values.pop()
        kind = type(value)
        if kind is str:
            found.append(value)  # type: ignore[arg-type]
        elif kind is dict:
            found.extend(value)  # type: ignore[arg-type]
            values.extend(value.values())  # type: ignore[union-attr]
        elif kind is list:
            values.extend(value)  # type: ignore[arg-type]
        elif kind is int and value >= MIN_CARD_NUMBER:  # type: ignore[operator]
            found.append(str(value))


@dataclass(frozen=True, slots=True)
class _Replacement:
    text: str
    counts: Mapping[Detector, int]


def _replacements(texts: set[str], policy: Policy) -> dict[str, _Replacement]:
    """For each string that holds personal data, what stands in its place."""
    plain, nested = _unfold(texts)
    replaced = _scan(plain, policy)
    # Innermost first: the structure in a string may hold strings that are structures themselves.
    for text, value in reversed(nested.items()):
        replacement = _replace_nested(value, replaced)
        if replacement:
            replaced[text] = replacement
        else:
            # A hit in the raw text alone was an artefact of its escapes.
            replaced.pop(text, None)
    return replaced


def _unfold(texts: set[str]) -> tuple[set[str], dict[str, JSONValue]]:
    """The strings to scan, and those that are JSON with escapes, with the structure in them.

    In such a string a plain replacement would miss a value behind an escape, or break one.
    """
    plain = set(texts)
    nested: dict[str, JSONValue] = {}
    waiting = [text for text in texts if "\\" in text]
    while waiting:
        text = waiting.pop()
        value = None if text in nested else _nested_json(text)
        if value is not None:
            nested[text] = value
            inner: list[str] = []
            _collect([value], inner)
            plain.update(inner)
            waiting.extend(piece for piece in inner if "\\" in piece)
    return plain, nested


def _nested_json(text: str) -> JSONValue:
    if text[:1] not in {"{", "[", '"'}:
        return None
    try:
        decoded: JSONValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return decoded


def _replace_nested(value: JSONValue, replaced: Mapping[str, _Replacement]) -> _Replacement | None:
    counts: dict[Detector, int] = {}
    rewritten = _rewrite(value, replaced, counts)
    return None if rewritten is value else _Replacement(msgspec.json.encode(rewritten).decode(), counts)


def _scan(texts: set[str], policy: Policy) -> dict[str, _Replacement]:
    """All strings in one pass, apart from those that hold the separator."""
    joined = [text for text in texts if _SEPARATOR not in text]
    buffer = _SEPARATOR.join(joined).encode("utf-8", "surrogatepass")
    replaced: dict[str, _Replacement] = {}
    for (start, end), hits in _by_string(buffer, find(buffer, policy.regions, policy.detectors)).items():
        encoded = buffer[start:end]
        replaced[encoded.decode("utf-8", "surrogatepass")] = _replace(encoded, start, hits, policy)
    for text in texts.difference(joined):
        encoded = text.encode("utf-8", "surrogatepass")
        hits = find(encoded, policy.regions, policy.detectors)
        if hits:
            replaced[text] = _replace(encoded, 0, hits, policy)
    return replaced


def _by_string(buffer: bytes, hits: Sequence[Hit]) -> dict[tuple[int, int], list[Hit]]:
    grouped: dict[tuple[int, int], list[Hit]] = {}
    start = end = -1
    for hit in hits:
        if hit.start >= end:
            start = buffer.rfind(b"\x00", 0, hit.start) + 1
            end = buffer.find(b"\x00", hit.end)
            end = len(buffer) if end < 0 else end
        grouped.setdefault((start, end), []).append(hit)
    return grouped


def _replace(encoded: bytes, offset: int, hits: Sequence[Hit], policy: Policy) -> _Replacement:
    parts: list[bytes] = []
    counts: dict[Detector, int] = {}
    position = 0
    for hit in hits:
        parts += (encoded[position : hit.start - offset], _stand_in(hit, policy).encode())
        position = hit.end - offset
        counts[hit.detector] = counts.get(hit.detector, 0) + 1
    parts.append(encoded[position:])
    return _Replacement(b"".join(parts).decode("utf-8", "surrogatepass"), counts)


def _stand_in(hit: Hit, policy: Policy) -> str:
    match policy.actions[hit.detector]:
        case Action.HASH:
            return keyed_hash(hit, policy.key)
        case Action.DROP:
            return ""
        case Action.MASK:
            return f"[{hit.detector}]"


def keyed_hash(hit: Hit, key: bytes) -> str:
    """A stable opaque id: the first 64 bits of HMAC-SHA256 (RFC 2104) of the value in its canonical spelling."""
    message = f"{hit.detector}:{hit.canonical}".encode()
    return f"[{hit.detector}:{hmac.new(key, message, hashlib.sha256).hexdigest()[:16]}]"


def _redact_span(span: Span, replaced: Mapping[str, _Replacement], policy: Policy) -> Span:
    counts: dict[Detector, int] = {}
    changes: dict[str, Any] = {}
    for name, value in zip(TEXT_FIELDS, _texts(span), strict=False):
        if value in replaced:
            changes[name] = _rewrite_text(value, replaced, counts)
    for name, value in zip(CONTENT_FIELDS, _contents(span), strict=True):
        if value and (rewritten := _rewrite(value, replaced, counts)) is not value:
            changes[name] = rewritten
    for name in ("tags", "events", "links"):
        value = getattr(span, name)
        if value and (rewritten := _rewrite_tuple(value, replaced, counts)) is not value:
            changes[name] = rewritten
    if not policy.keep_identity:
        changes |= _redact_identity(span, policy, replaced, counts)
    if not changes:
        return span
    return msgspec.structs.replace(
        span, **changes, redactions={str(detector): count for detector, count in counts.items()}
    )


def _redact_identity(
    span: Span, policy: Policy, replaced: Mapping[str, _Replacement], counts: dict[Detector, int]
) -> dict[str, str]:
    """Identities are always hashed, never masked: masked, two users would become one."""
    changes: dict[str, str] = {}
    hashing = Policy(policy.key, policy.regions, dict.fromkeys(policy.detectors, Action.HASH))
    for name in IDENTITY_FIELDS:
        value = getattr(span, name)
        if value and value in replaced:
            encoded = value.encode("utf-8", "surrogatepass")
            replacement = _replace(encoded, 0, find(encoded, policy.regions, policy.detectors), hashing)
            changes[name] = replacement.text
            _add(counts, replacement.counts)
    return changes


def _rewrite_tuple(
    value: tuple[Any, ...], replaced: Mapping[str, _Replacement], counts: dict[Detector, int]
) -> tuple[Any, ...]:
    items = tuple(
        _rewrite_text(item, replaced, counts)
        if isinstance(item, str)
        else _rewrite_item(item, replaced, counts)
        for item in value
    )
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value


def _rewrite_item(
    item: Event | Link, replaced: Mapping[str, _Replacement], counts: dict[Detector, int]
) -> Event | Link:
    attributes = _rewrite(item.attributes, replaced, counts)
    changes = {"attributes": attributes} if attributes is not item.attributes else {}
    if isinstance(item, Event) and item.name in replaced:
        changes["name"] = _rewrite(item.name, replaced, counts)
    return msgspec.structs.replace(item, **changes) if changes else item


def _rewrite(value: Any, replaced: Mapping[str, _Replacement], counts: dict[Detector, int]) -> Any:
    """`value` with every string in `replaced` exchanged; the same object when there is none."""
    kind = type(value)
    if kind is str:
        return _rewrite_text(value, replaced, counts) if value in replaced else value
    if kind is dict:
        return _rewrite_dict(value, replaced, counts)
    if kind is list:
        items = [_rewrite(item, replaced, counts) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if kind is int and value >= MIN_CARD_NUMBER and str(value) in replaced:
        return _rewrite_text(str(value), replaced, counts)
    return value


def _rewrite_dict(
    value: dict[str, Any], replaced: Mapping[str, _Replacement], counts: dict[Detector, int]
) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    changed = False
    for key, item in value.items():
        new_key = _rewrite_text(key, replaced, counts) if key in replaced else key
        new_item = _rewrite(item, replaced, counts)
        changed = changed or new_key is not key or new_item is not item
        pairs[_unused(new_key, pairs) if new_key in pairs else new_key] = new_item
    return pairs if changed else value


def _unused(key: str, pairs: Mapping[str, Any]) -> str:
    """Keys that are masked alike stay apart: no value is lost."""
    return next(name for number in range(2, len(pairs) + 3) if (name := f"{key} {number}") not in pairs)


def _rewrite_text(text: str, replaced: Mapping[str, _Replacement], counts: dict[Detector, int]) -> str:
    replacement = replaced.get(text)
    if replacement is None:
        return text
    _add(counts, replacement.counts)
    return replacement.text


def _add(counts: dict[Detector, int], more: Mapping[Detector, int]) -> None:
    for detector, count in more.items():
        counts[detector] = counts.get(detector, 0) + count
