"""Scores as clients write and read them: what is taken, what is wrong with it, and what is answered."""

import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evals.score import (
    MAX_COMMENT,
    MAX_ID,
    MAX_LABEL,
    MAX_SESSION_ID,
    DataType,
    Score,
    Source,
    Subject,
    Value,
    data_type_of,
)
from tracehouse.web.api import no_such, rfc3339
from traces.api import DEFAULT_DAYS, WindowParameters
from traces.queries import parse_trace_id
from traces.score_filters import MAX_NAME, is_name

MAX_AHEAD = timedelta(days=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_BOTH = "A score is of a trace or of a session: give trace_id or session_id, not both."
_NEITHER = "What is scored? Give trace_id, with span_id for one of its spans, or session_id."


@extend_schema_field(
    {"oneOf": [{"type": "number"}, {"type": "string", "maxLength": MAX_LABEL}, {"type": "boolean"}]}
)
class ValueField(serializers.Field[Value, Any, Value, Any]):
    """A number, a text or a truth value."""

    default_error_messages = {
        "kind": "must be a number, a text or true or false",
        "finite": "must be a number that a computer can hold",
        "blank": "must not be empty",
    }

    def to_internal_value(self, data: Any) -> Value:
        if isinstance(data, bool):
            return data
        if isinstance(data, int | float):
            return self._number(data)
        if not isinstance(data, str):
            self.fail("kind")
        text: str = serializers.CharField(max_length=MAX_LABEL).run_validation(data)
        return text

    def to_representation(self, value: Value) -> Value:
        return value

    def _number(self, data: float) -> float:
        try:
            number = float(data)
        except OverflowError:
            self.fail("finite")
        return number if math.isfinite(number) else self.fail("finite")


class IdField(serializers.CharField):
    """An id as a path can carry it, blanks at its ends included."""

    def __init__(self, **told: Any) -> None:
        super().__init__(trim_whitespace=False, **told)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if "/" in text or not text.isprintable():
            raise serializers.ValidationError("must not hold a slash or control characters")
        return text


class NameField(serializers.CharField):
    """A name that conditions such as `name>=0.5` can speak of."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_name(text):
            raise serializers.ValidationError("must not hold <, >, = or control characters")
        return text


class TraceIdField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        parsed = parse_trace_id(super().to_internal_value(data))
        if parsed is None or not parsed.int:
            raise serializers.ValidationError("must be 32 hex digits, not all of them 0")
        return parsed.hex


class SpanIdField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).lower()
        if len(text) != 16 or set(text) - set("0123456789abcdef") or not int(text, 16):
            raise serializers.ValidationError("must be 16 hex digits, not all of them 0")
        return text


class ScoreInput(serializers.Serializer[Any]):
    """A score to store. It need not wait for its trace: spans may arrive later."""

    id = IdField(
        required=False,
        max_length=MAX_ID,
        help_text="Known by this id in the project: writing it again replaces it. Made up when absent.",
    )
    name = NameField(max_length=MAX_NAME)
    value = ValueField()
    data_type = serializers.ChoiceField(
        choices=list(DataType), required=False, help_text="Told by the value when absent."
    )
    trace_id = TraceIdField(required=False)
    span_id = SpanIdField(required=False, help_text="A span of the trace; needs `trace_id`.")
    session_id = serializers.CharField(required=False, trim_whitespace=False, max_length=MAX_SESSION_ID)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=MAX_COMMENT)
    author = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=MAX_ID,
        help_text="Who says so, such as an end user's id.",
    )
    time = serializers.DateTimeField(
        required=False, default_timezone=UTC, help_text="When it was given; now when absent."
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            # Null is absent, as it is for spans.
            data = {name: value for name, value in data.items() if value is not None}
            if unknown := [str(name) for name in data if name not in self.fields]:
                raise serializers.ValidationError(
                    {name[:100]: [no_such("field", name, self.fields)] for name in unknown}
                )
        return super().to_internal_value(data)

    def validate_time(self, moment: datetime) -> datetime:
        if not EARLIEST <= moment <= timezone.now() + MAX_AHEAD:
            raise serializers.ValidationError(f"must not be before {EARLIEST.year} nor more than a day ahead")
        return moment

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "session_id" in attrs and ("trace_id" in attrs or "span_id" in attrs):
            raise serializers.ValidationError({"session_id": [_BOTH]})
        if "session_id" not in attrs and "trace_id" not in attrs:
            raise serializers.ValidationError({"trace_id": [_NEITHER]})
        wanted = attrs.get("data_type")
        if wanted:
            attrs["value"] = _as_type(attrs["value"], DataType(wanted))
        return attrs


class ScoreSchema(serializers.Serializer[Any]):
    """A score as it is stored, redacted."""

    id = serializers.CharField()
    name = serializers.CharField()
    value = ValueField()
    data_type = serializers.ChoiceField(choices=list(DataType))
    trace_id = serializers.CharField(allow_null=True)
    span_id = serializers.CharField(allow_null=True, help_text="Null for a score of the whole trace.")
    session_id = serializers.CharField(allow_null=True)
    comment = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # the answer names it so
        choices=list(Source)
    )
    author = serializers.CharField(
        allow_null=True, help_text="As sent; `member:<number>` for who gave it on a page."
    )
    time = serializers.DateTimeField()


class ScoresSchema(serializers.Serializer[Any]):
    data = ScoreSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class ScorePageSchema(ScoresSchema):
    next_cursor = serializers.CharField(allow_null=True)


class ScoreParameters(WindowParameters):
    """The window is of the scores' own time."""

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found[
            "from"
        ].help_text = f"Scores given at or after this time; {DEFAULT_DAYS} days before `to` when absent."
        found["to"].help_text = "Scores given before this time; now when absent."
        return found

    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    cursor = serializers.CharField(default="", help_text="`next_cursor` of the page before.")
    trace_id = TraceIdField(required=False, help_text="Scores of the trace and of its spans.")
    span_id = SpanIdField(required=False)
    session_id = serializers.CharField(default="", trim_whitespace=False)
    name = serializers.CharField(default="")
    data_type = serializers.ChoiceField(choices=list(DataType), required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # the address names it so
        choices=list(Source), required=False
    )
    author = serializers.CharField(default="", trim_whitespace=False)


def scores_in(given: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Score]:
    """Validated inputs as scores of the API."""
    return [
        Score(
            id=one.get("id") or str(uuid.uuid4()),
            name=one["name"],
            value=one["value"],
            subject=Subject(
                trace_id=one.get("trace_id", ""),
                span_id=one.get("span_id", ""),
                session_id=one.get("session_id", ""),
            ),
            source=Source.API,
            time=one.get("time", now),
            comment=one.get("comment", ""),
            author=one.get("author", ""),
        )
        for one in given
    ]


def plain(score: Score) -> dict[str, Any]:
    return {
        "id": score.id,
        "name": score.name,
        "value": score.value,
        "data_type": score.data_type,
        "trace_id": score.subject.trace_id or None,
        "span_id": score.subject.span_id or None,
        "session_id": score.subject.session_id or None,
        "comment": score.comment or None,
        "source": score.source,
        "author": score.author or None,
        "time": rfc3339(score.time),
    }


def _as_type(value: Value, wanted: DataType) -> Value:
    """The value as the type that was named. 1 and 0 are how many clients write true and false."""
    if wanted is DataType.BOOLEAN and value in (0.0, 1.0) and not isinstance(value, str):
        return bool(value)
    if data_type_of(value) is not wanted:
        raise serializers.ValidationError({"value": [f"is not {wanted}"]})
    return value
