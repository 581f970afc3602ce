"""Why something was refused: a code that is counted, the words for it, and what its sender can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ingest.otlp.decode import Refusal


class Reason(StrEnum):
    """Why a whole request was refused."""

    NO_KEY = "no_key"  # counted in metrics alone: nobody knows whose request it was
    OTHER_PROJECT = "other_project"
    KEY_UNCHECKED = "key_unchecked"
    RULES_UNREAD = "rules_unread"
    WRONG_TYPE = "wrong_type"
    WRONG_ENCODING = "wrong_encoding"
    NO_LENGTH = "no_length"
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    MALFORMED = "malformed"
    BUSY = "busy"
    SPAN_RATE = "span_rate"
    BYTE_RATE = "byte_rate"
    DAILY_QUOTA = "daily_quota"
    MONTHLY_QUOTA = "monthly_quota"
    SPOOL_FULL = "spool_full"
    SPOOL_FAILED = "spool_failed"
    FAULT = "fault"


# Reasons after which an exporter that follows the protocol sends the same batch again.
RETRIED = frozenset(
    {
        Reason.KEY_UNCHECKED,
        Reason.RULES_UNREAD,
        Reason.BUSY,
        Reason.SPAN_RATE,
        Reason.BYTE_RATE,
        Reason.DAILY_QUOTA,
        Reason.MONTHLY_QUOTA,
        Reason.SPOOL_FULL,
        Reason.SPOOL_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Explanation:
    title: str
    advice: str


def code_of(refusal: Refusal) -> str:
    """The code under which single spans refused for this reason are counted."""
    return f"span_{refusal.name.lower()}"


def explain(code: str) -> Explanation:
    """Words for a counted code; a code of an older version explains itself."""
    return _EXPLANATIONS.get(code) or Explanation(code.replace("_", " ").capitalize(), "")


def is_retried(code: str) -> bool:
    """Whether exporters try again by themselves, so that a refusal is a delay and not yet a loss."""
    return code in RETRIED


_EXPLANATIONS: Mapping[str, Explanation] = {
    Reason.NO_KEY: Explanation(
        "No valid key",
        "Send Authorization: Bearer <secret key> with a key that is not revoked.",
    ),
    Reason.OTHER_PROJECT: Explanation(
        "The key belongs to another project",
        "Take the X-Tracehouse-Project header out of the exporter, or use a key of the project it names. With Basic"
        " authentication, check that the public and the secret half come from one key pair.",
    ),
    Reason.KEY_UNCHECKED: Explanation(
        "The key could not be checked",
        "PostgreSQL did not answer. Exporters try again by themselves; look at the state of the stores.",
    ),
    Reason.RULES_UNREAD: Explanation(
        "The project's redaction rules could not be read",
        "PostgreSQL did not answer, and without its rules nothing of a project is stored. Exporters try again by"
        " themselves; if it goes on, look at the status page.",
    ),
    Reason.WRONG_TYPE: Explanation(
        "Content-Type is not taken here",
        "Set the exporter to http/protobuf or http/json (OTEL_EXPORTER_OTLP_PROTOCOL). gRPC is not spoken here.",
    ),
    Reason.WRONG_ENCODING: Explanation(
        "Content-Encoding is not known",
        "Set the exporter's compression to gzip, deflate, zstd or none (OTEL_EXPORTER_OTLP_COMPRESSION).",
    ),
    Reason.NO_LENGTH: Explanation(
        "Neither Content-Length nor a chunked body",
        "A proxy in between may cut these headers off: let it pass them on, or speak HTTP/1.1 to us.",
    ),
    Reason.TOO_LARGE: Explanation(
        "The body is too large",
        "Send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE), or let an administrator raise TRACEHOUSE_MAX_BODY_MB.",
    ),
    Reason.BAD_ENCODING: Explanation(
        "The body is not what Content-Encoding says",
        "A proxy may have unpacked the body and kept the header, or cut it short. Try without compression once.",
    ),
    Reason.MALFORMED: Explanation(
        "The body could not be read",
        "Check that the exporter sends OTLP and that its protocol matches its Content-Type. The answer to the request"
        " says what is wrong; most exporters log it.",
    ),
    Reason.BUSY: Explanation(
        "Too many large bodies at once",
        "Exporters try again by themselves. If it keeps happening, send smaller batches or run more web processes.",
    ),
    Reason.SPAN_RATE: Explanation(
        "More spans a second than the project may send",
        "Exporters wait and try again; what they cannot hold until then is lost. Sample in the agent, or let an owner"
        " or admin raise the limit in the settings.",
    ),
    Reason.BYTE_RATE: Explanation(
        "More bytes a minute than the project may send",
        "Exporters wait and try again; what they cannot hold until then is lost. Shorten what agents record, or let an"
        " owner or admin raise the limit in the settings.",
    ),
    Reason.DAILY_QUOTA: Explanation(
        "The day's quota of spans is used up",
        "Nothing is taken until the day ends in the project's time zone, unless an owner or admin raises the quota in"
        " the settings.",
    ),
    Reason.MONTHLY_QUOTA: Explanation(
        "The month's quota of spans is used up",
        "Nothing is taken until the month ends in the project's time zone, unless an owner or admin raises the quota"
        " in the settings.",
    ),
    Reason.SPOOL_FULL: Explanation(
        "Too many spans wait to be stored",
        "ClickHouse does not keep up or is away. Exporters try again; look at the spool and the state of the stores.",
    ),
    Reason.SPOOL_FAILED: Explanation(
        "The disk did not take the spans",
        "The disk of the web server is full or failing. Exporters try again; an administrator must make room.",
    ),
    Reason.FAULT: Explanation(
        "A fault of ours",
        "The server's log has the reason. Please report it.",
    ),
    code_of(Refusal.NO_TRACE_ID): Explanation(
        "Span without a valid trace id",
        "A trace id is 16 bytes (32 hex digits) and not all zero. Take ids from an OpenTelemetry SDK.",
    ),
    code_of(Refusal.NO_SPAN_ID): Explanation(
        "Span without a valid span id",
        "A span id is 8 bytes (16 hex digits) and not all zero. Take ids from an OpenTelemetry SDK.",
    ),
    code_of(Refusal.NO_START): Explanation(
        "Span without a start time",
        "Set startTimeUnixNano: nanoseconds since 1970. A value in milliseconds or seconds is taken for 1970.",
    ),
    code_of(Refusal.TOO_OLD): Explanation(
        "Span started too long ago",
        "Check the clock of the sender and that times are nanoseconds. To load old traces, let an administrator raise"
        " TRACEHOUSE_MAX_SPAN_AGE_DAYS.",
    ),
    code_of(Refusal.IN_FUTURE): Explanation(
        "Span starts more than a day in the future",
        "Check the clock of the sender and that times are nanoseconds.",
    ),
    code_of(Refusal.TOO_LARGE): Explanation(
        "Span larger than 4 MiB",
        "Shorten what the agent records: send a reference to files and images, not their bytes.",
    ),
    code_of(Refusal.INVALID): Explanation(
        "Span with fields that are not valid",
        "The answer to the request names each field and what is wrong with it.",
    ),
    code_of(Refusal.LOG_NOT_KEPT): Explanation(
        "Log record that is not kept",
        "Nothing is wrong: of logs only GenAI events and exceptions are kept. To save the traffic, let the exporter"
        " send only those.",
    ),
    code_of(Refusal.LOG_WITHOUT_SPAN): Explanation(
        "Log record that belongs to no span",
        "Emit it inside the span it is about, so that it carries the span's trace id and span id.",
    ),
    code_of(Refusal.LOG_EMPTY): Explanation(
        "Log record without content",
        "Switch the recording of content on in the instrumentation"
        " (OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT).",
    ),
    code_of(Refusal.LOG_TIME): Explanation(
        "Log record written too long ago or in the future",
        "Check the clock of the sender and that times are nanoseconds.",
    ),
    code_of(Refusal.OUR_FAULT): Explanation(
        "Span that we could not read",
        "A fault of ours: the server's log has the reason. Please report it with the instrumentation's name.",
    ),
}
