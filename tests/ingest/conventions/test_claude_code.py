"""Claude Code: attributes as its documentation of traces lists them, set by hand."""

import msgspec
import pytest

from ingest.normalize import normalize
from tests.ingest.golden import event, read, record, text_message
from traces.span import Attributes, Kind, Status, Usage

REQUEST: Attributes = {
    "span.type": "llm_request",
    "model": "claude-sonnet-4-6",
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-6",
    "session.id": "s-4",
    "user.id": "u-17",
    "organization.id": "acme",
    "input_tokens": 40,
    "output_tokens": 30,
    "cache_read_tokens": 20,
    "cache_creation_tokens": 60,
    "ttft_ms": 250,
    "stop_reason": "tool_use",
    "success": True,
}
TOOL: Attributes = {"span.type": "tool", "tool_name": "Bash", "gen_ai.tool.call.id": "toolu_1"}


def test_a_model_call() -> None:
    span = read(
        REQUEST | {"new_context": "What is the weather?", "response.model_output": "Rain."},
        name="claude_code.llm_request",
    )

    assert (span.kind, span.model, span.request_model, span.provider) == (
        Kind.LLM,
        "claude-sonnet-4-6",
        "claude-sonnet-4-6",
        "anthropic",
    )
    assert (span.user_id, span.session_id, span.organization_id) == ("u-17", "s-4", "acme")
    assert (span.finish_reason, span.time_to_first_token_ns) == ("tool_use", 250_000_000)
    assert span.input == [text_message("user", "What is the weather?")]
    assert span.output == [text_message("assistant", "Rain.")]
    assert (span.status, span.vocabulary) == (Status.UNSET, "claude_code")


def test_the_input_is_counted_without_the_cache() -> None:
    assert read(REQUEST).usage == Usage(input_uncached=40, cache_read=20, cache_write_5m=60, output=30)


def test_a_small_cached_part_is_not_taken_off_the_input() -> None:
    assert read(REQUEST | {"cache_read_tokens": 1, "cache_creation_tokens": 0}).usage == Usage(
        input_uncached=40, cache_read=1, cache_write_5m=0, output=30
    )


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("interaction", Kind.AGENT),
        ("claude_code.interaction", Kind.AGENT),
        ("claude_code.llm_request", Kind.LLM),
        ("claude_code.tool", Kind.TOOL),
        ("tool.blocked_on_user", Kind.SPAN),
    ],
)
def test_the_type_says_the_kind_with_and_without_its_prefix(sent: str, kind: Kind) -> None:
    assert read({"span.type": sent}).kind is kind


def test_the_prompt_of_an_interaction() -> None:
    prompted: Attributes = {"span.type": "interaction", "user_prompt": "fix the test"}
    withheld: Attributes = {
        "span.type": "interaction",
        "user_prompt": "<REDACTED>",
        "new_context": "[USER] fix",
    }

    assert read(prompted).input == "fix the test"
    assert read(withheld).input == "[USER] fix"


def test_a_tool_with_its_output_in_an_event() -> None:
    span = read(
        TOOL | {"tool_input": '{"command": "ls"}'},
        events=(event("tool.output", {"bash_command": "ls", "output": "a.txt"}),),
    )

    assert (span.kind, span.tool_name, span.tool_call_id) == (Kind.TOOL, "Bash", "toolu_1")
    assert (span.input, span.output, span.events) == ({"command": "ls"}, "a.txt", None)


@pytest.mark.parametrize("key", ["output", "content", "diff"])
def test_what_a_tool_gave_under_any_of_its_names(key: str) -> None:
    placeholder = event("tool.output", {"output": "<REDACTED>", key: "done"})

    assert read(TOOL, events=(placeholder,)).output == "done"


def test_what_is_told_of_a_tool_whose_input_is_withheld() -> None:
    details: Attributes = {"tool_input": "<REDACTED>", "full_command": "ls -l", "file_path": "a.txt"}

    assert read(TOOL | details).input == {"full_command": "ls -l", "file_path": "a.txt"}
    assert read(TOOL | {"tool_input": "<REDACTED>"}).input is None


def test_a_tool_call_id_in_its_own_name() -> None:
    assert read({"span.type": "tool", "tool_use_id": "toolu_2"}).tool_call_id == "toolu_2"


def test_a_request_that_failed_says_so_in_its_attributes() -> None:
    span = read(REQUEST | {"success": False, "error": "529 overloaded"})

    assert (span.status, span.status_message) == (Status.ERROR, "529 overloaded")
    assert read(REQUEST | {"success": "false"}).status is Status.ERROR


def test_another_program_s_span_type_is_not_its_own() -> None:
    assert read({"span.type": "web"}).vocabulary is None
    sent = msgspec.structs.replace(record({"span.type": "hook"}), scope="com.anthropic.claude_code.tracing")

    assert normalize(sent, project_id=7).vocabulary == "claude_code"


def test_types_are_compared_without_case() -> None:
    assert read({"span.type": "Claude_Code.LLM_Request"}).kind is Kind.LLM
