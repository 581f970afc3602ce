"""Media is cut out of content and leaves its type, size and digest."""

import base64
import hashlib
import json
import random
from typing import Any

import msgspec
import pytest

from ingest.media import LEAST_RUN, without_media, without_media_in, without_media_span
from ingest.normalize import normalize
from ingest.otlp.records import OtlpSpan
from traces.conversation import messages
from traces.span import EntryKind, Event, Link, LogEntry, Span

PICTURE = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(9000)
ENCODED = base64.b64encode(PICTURE).decode()
CUT = {"media": "image/png", "bytes": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest()}
SHAPES: dict[str, Any] = {
    "OTel": {"type": "blob", "mime_type": "image/png", "modality": "image", "content": ENCODED},
    "Anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ENCODED}},
    "OpenAI": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}},
    "OpenAI responses": {"type": "input_image", "image_url": f"data:image/png;base64,{ENCODED}"},
    "Gemini": {"inline_data": {"mime_type": "image/png", "data": ENCODED}},
    "Gemini in JavaScript": {"inlineData": {"mimeType": "image/png", "data": ENCODED}},
    "bare": {"type": "file", "content": ENCODED},
    "url-safe": {
        "inline_data": {"mime_type": "image/png", "data": ENCODED.replace("+", "-").replace("/", "_")}
    },
    "unpadded": {"inline_data": {"mime_type": "image/png", "data": ENCODED.rstrip("=")}},
}


def cut_in(value: Any) -> Any:
    """What stands where the media stood."""
    if isinstance(value, dict):
        return value if "sha256" in value else next(filter(None, map(cut_in, value.values())), None)
    return None


@pytest.mark.parametrize("shape", SHAPES)
def test_media_leaves_type_size_and_digest(shape: str) -> None:
    assert cut_in(without_media([SHAPES[shape]])[0]) == CUT  # type: ignore[index]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_says_what_was_there(shape: str) -> None:
    stored = without_media([{"role": "user", "parts": [SHAPES[shape]]}])
    [message] = messages(stored) or []
    [part] = message.parts
    assert part.kind == "media"
    assert "image/png, 9 kB, sha256 " + CUT["sha256"][:16] in part.text  # type: ignore[index]


def test_audio_is_named_by_its_format() -> None:
    part: Any = without_media({"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}})
    assert part["input_audio"]["data"]["media"] == "audio/wav"
    assert part["input_audio"]["format"] == "wav"


def test_a_small_picture_that_says_it_is_one_is_cut_too() -> None:
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    part: Any = without_media({"type": "blob", "mime_type": "image/png", "content": pixel})
    assert part["content"]["bytes"] == 70


@pytest.mark.parametrize("around", ["see {} here", '{{"deep": "{}"}}', "{}"])
def test_inside_of_a_text_it_becomes_a_line(around: str) -> None:
    line = f"[image/png 9,008 bytes sha256:{hashlib.sha256(PICTURE).hexdigest()[:16]}]"
    text = without_media([around.format(f"data:image/png;base64,{ENCODED}")])
    assert text == [around.format(line)]


def test_a_long_run_of_base64_inside_of_json_text_is_cut() -> None:
    text = without_media('{"image": "' + ENCODED + '", "note": "kept"}')
    assert "sha256:" in str(text)
    assert "kept" in str(text)
    assert len(str(text)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "x" * (2 * LEAST_RUN),
        hashlib.sha256(b"a").hexdigest() * 200,
        "word " * LEAST_RUN,
        ENCODED[: LEAST_RUN - 4],
        "data: is how it starts; base64, is another word",
        "系统提示" * 2000,
    ],
    ids=["line", "hex", "prose", "short", "words", "chinese"],
)
def test_text_is_left_as_it_is(text: str) -> None:
    value = {"a": [text]}
    assert without_media(value) == value


def test_a_text_beside_a_media_type_is_left() -> None:
    value = {"mime_type": "text/plain", "data": "just a sentence of some length, with spaces in it"}
    assert without_media_in(value) == value


URL = f"data:image/png;base64,{ENCODED}"
INSIDE = {"deep": [URL], "json": json.dumps({"photo": URL})}
TEXTS = [
    field.name
    for field in msgspec.structs.fields(Span)
    if field.type == str | None and field.name != "parent_id"
]
STRUCTURES = ("input", "output", "tool_definitions", "request_params", "attributes", "resource")
PARTS: dict[str, Any] = {
    "tags": (f"tag {URL}",),
    "events": (Event(name="photo", time_ns=1, attributes=INSIDE),),
    "links": (Link(trace_id="a", span_id="b", attributes=INSIDE),),
    "log_entries": (LogEntry(name="photo", time_ns=1, key="k", kind=EntryKind.INPUT, attributes=INSIDE),),
}


@pytest.mark.parametrize("field", [*TEXTS, *STRUCTURES, *PARTS])
def test_no_field_of_a_span_keeps_media(field: str) -> None:
    value = PARTS.get(field, INSIDE if field in STRUCTURES else f"see {URL}")
    told: dict[str, Any] = {"project_id": 1, "trace_id": "1" * 32, "span_id": "2" * 16, field: value}
    kept = str(without_media_span(Span(**told)))
    assert ENCODED[:100] not in kept
    assert "image/png" in kept


def test_the_size_of_an_output_is_that_which_was_sent() -> None:
    record = OtlpSpan(
        trace_id="1" * 32,
        span_id="2" * 16,
        parent_id="",
        name="chat",
        start_ns=1,
        end_ns=2,
        status_code=0,
        status_message="",
        attributes={"output": URL},
        resource={},
        scope="",
        events=(),
        links=(),
    )
    assert without_media_span(normalize(record, project_id=1)).output_bytes == len(URL)
