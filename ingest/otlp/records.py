"""What an OTLP request holds, decoded: the shapes between `decode` and `normalize`."""

import msgspec

from traces.span import Attributes, Event, JSONValue, Link


class OtlpSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One span as sent. Ids are lower-case hex; `parent_id` is `""` for a root; attribute values are plain JSON
    values (a kvlist is a dict, bytes are base64 text, NaN and infinities are text)."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    status_code: int  # 0 unset, 1 ok, 2 error
    status_message: str
    attributes: Attributes
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    resource: Attributes
    scope: str  # instrumentation scope name


class OtlpLog(msgspec.Struct, frozen=True, kw_only=True):
    """One log record as sent. Ids that are absent or not valid are `""`; a time that is not known is 0."""

    trace_id: str
    span_id: str
    name: str  # of the event; "" for a log line
    time_ns: int
    observed_ns: int
    body: JSONValue
    attributes: Attributes
    resource: Attributes
    scope: str
    place: int  # among the records of its request
