"""Every name that an emitter uses for a field fills it alone: the map of names to fields, told once more as a table."""

import pytest

from tests.ingest.golden import BEGAN_NS, event, read
from traces.span import Attributes, Event, JSONValue, Kind, Usage

# Marks of dialects, where a name is only that dialect's.
LANGFUSE: Attributes = {"langfuse.observation.type": "generation"}
TRACELOOP: Attributes = {"traceloop.span.kind": "task"}
AI: Attributes = {"ai.operationId": "ai.generateText.doGenerate"}
LANGSMITH: Attributes = {"langsmith.span.kind": "llm"}
OPENLIT: Attributes = {"telemetry.sdk.name": "openlit", "gen_ai.x": 1}
LITELLM: Attributes = {"litellm.call_id": "c"}
CLAUDE: Attributes = {"span.type": "llm_request"}
MLFLOW: Attributes = {"mlflow.spanType": '"LLM"'}
TOOL: Attributes = {"gen_ai.operation.name": "execute_tool"}

# Field -> the names that alone give it the value "v", each with what has to stand beside it.
NAMES: dict[str, list[tuple[str, Attributes]]] = {
    "agent_name": [
        ("gen_ai.agent.name", {}),
        ("gen_ai.agent.id", {}),
        ("agent.name", {"openinference.span.kind": "AGENT"}),
        ("graph.node.name", {"openinference.span.kind": "AGENT"}),
        ("traceloop.entity.name", {"traceloop.span.kind": "agent"}),
        ("ai.telemetry.functionId", {}),
        ("agent_name", {"pydantic_ai.x": 1}),
    ],
    "workflow_name": [
        ("gen_ai.workflow.name", {}),
        ("traceloop.workflow.name", {}),
        ("traceloop.entity.path", {}),
    ],
    "name": [
        ("traceloop.entity.name", TRACELOOP),
        ("langfuse.trace.name", {}),
        ("logfire.msg", {}),
        ("langsmith.trace.name", {}),
    ],
    "model": [
        ("gen_ai.response.model", {}),
        ("gen_ai.request.model", {}),
        ("llm.response.model_name", {"openinference.span.kind": "LLM"}),
        ("llm.model_name", {}),
        ("llm.request.model_name", {"openinference.span.kind": "LLM"}),
        ("embedding.model_name", {}),
        ("reranker.model_name", {}),
        ("langfuse.observation.model.name", {}),
        ("ai.response.model", {}),
        ("ai.model.id", {}),
        ("mlflow.llm.model", {}),
        ("langsmith.metadata.ls_model_name", {}),
        ("langsmith.metadata.model_name", {}),
        ("litellm.provider.model", {}),
        ("model", CLAUDE),
    ],
    "request_model": [
        ("gen_ai.request.model", {}),
        ("llm.request.model_name", {"openinference.span.kind": "LLM"}),
        ("llm.model_name", {}),
        ("ai.model.id", {}),
    ],
    "provider": [
        ("gen_ai.provider.name", {}),
        ("gen_ai.system", {}),
        ("llm.provider", {"openinference.span.kind": "LLM"}),
        ("llm.system", {"openinference.span.kind": "LLM"}),
        ("ai.model.provider", {}),
        ("mlflow.llm.provider", {}),
        ("langsmith.metadata.ls_provider", {}),
    ],
    "tool_name": [
        ("gen_ai.tool.name", {}),
        ("tool.name", {}),
        ("traceloop.entity.name", {"traceloop.span.kind": "tool"}),
        ("ai.toolCall.name", {}),
        ("tool_name", {"span.type": "tool"}),
    ],
    "tool_call_id": [
        ("gen_ai.tool.call.id", {}),
        ("tool.id", {"openinference.span.kind": "TOOL"}),
        ("tool_call.id", {"openinference.span.kind": "TOOL"}),
        ("ai.toolCall.id", {}),
    ],
    "input": [
        ("gen_ai.prompt", {}),
        ("gen_ai.tool.call.arguments", TOOL),
        ("gen_ai.tool.input", TOOL),
        ("gen_ai.tool.args", TOOL),
        ("llm.prompts.0.prompt.text", {"openinference.span.kind": "LLM"}),
        ("input.value", {}),
        ("embedding.embeddings.0.embedding.text", {"openinference.span.kind": "EMBEDDING"}),
        ("reranker.query", {"openinference.span.kind": "RERANKER"}),
        ("traceloop.entity.input", {}),
        ("gen_ai.task.input", TRACELOOP),
        ("mcp.request.argument", {}),
        ("langfuse.observation.input", {}),
        ("langfuse.trace.input", {}),
        ("ai.prompt", {}),
        ("ai.value", {}),
        ("ai.values", {}),
        ("ai.documents", {}),
        ("ai.toolCall.args", {"ai.operationId": "ai.toolCall"}),
        ("tool_arguments", {"pydantic_ai.x": 1}),
        ("prompt", {"pydantic_ai.x": 1}),
        ("mlflow.spanInputs", {}),
        ("gen_ai.prompt", {"langsmith.span.kind": "tool"}),
        ("tool_arguments", {"langsmith.span.kind": "tool"}),
        ("gen_ai.workflow.input", OPENLIT),
        ("lmnr.span.input", {}),
        ("gcp.vertex.agent.tool_call_args", {}),
        ("lk.chat_ctx", {}),
        ("lk.user_input", {}),
        ("lk.input_text", {}),
        ("user_prompt", {"span.type": "interaction"}),
        ("new_context", {"span.type": "interaction"}),
        ("tool_input", {"span.type": "tool"}),
        ("genkit:input", {}),
        ("gen_ai.retrieval.query.text", {"gen_ai.operation.name": "retrieval"}),
        ("input", {}),
    ],
    "output": [
        ("gen_ai.completion", {}),
        ("gen_ai.tool.call.result", TOOL),
        ("gen_ai.tool.output", TOOL),
        ("llm.choices.0.completion.text", {"openinference.span.kind": "LLM"}),
        ("output.value", {}),
        ("traceloop.entity.output", {}),
        ("gen_ai.task.output", TRACELOOP),
        ("mcp.response.value", {}),
        ("langfuse.observation.output", {}),
        ("langfuse.trace.output", {}),
        ("ai.response.object", {}),
        ("ai.result.object", {}),
        ("ai.embedding", {}),
        ("ai.embeddings", {}),
        ("ai.ranking", {}),
        ("ai.toolCall.result", {"ai.operationId": "ai.toolCall"}),
        ("tool_response", {"pydantic_ai.x": 1}),
        ("final_result", {"pydantic_ai.x": 1}),
        ("mlflow.spanOutputs", {}),
        ("gen_ai.completion", {"langsmith.span.kind": "tool"}),
        ("gen_ai.workflow.output", OPENLIT),
        ("lmnr.span.output", {}),
        ("gcp.vertex.agent.tool_response", {}),
        ("lk.response.text", {}),
        ("response.model_output", {"span.type": "interaction"}),
        ("genkit:output", {}),
        ("gen_ai.retrieval.documents", {"gen_ai.operation.name": "retrieval"}),
        ("output", {}),
    ],
    "tool_definitions": [
        ("gen_ai.tool.definitions", {}),
        ("mlflow.chat.tools", {}),
        ("tools", LANGSMITH),
        ("ai.prompt.tools", {}),
        ("gen_ai.agent.tools", {"gen_ai.system": "strands-agents"}),
    ],
    "user_id": [
        ("user.id", {}),
        ("enduser.id", {}),
        ("traceloop.association.properties.user_id", {}),
        ("gen_ai.user", TRACELOOP),
        ("llm.user", TRACELOOP),
        ("langfuse.user.id", {}),
        ("langfuse.trace.metadata.langfuse_user_id", {}),
        ("langfuse.observation.metadata.langfuse_user_id", {}),
        ("ai.telemetry.metadata.userId", {}),
        ("ai.telemetry.metadata.user_id", {}),
        ("ai.settings.context.userId", {}),
        ("mlflow.trace.user", {}),
        ("langsmith.metadata.user_id", {}),
        ("gen_ai.request.user", OPENLIT),
        ("lmnr.association.properties.user_id", {}),
        ("litellm.end_user.id", {}),
        ("metadata.user_api_key_user_id", LITELLM),
    ],
    "session_id": [
        ("session.id", {}),
        ("gen_ai.conversation.id", {}),
        ("traceloop.association.properties.session_id", {}),
        ("traceloop.association.properties.chat_id", {}),
        ("traceloop.association.properties.thread_id", {}),
        ("langfuse.session.id", {}),
        ("langfuse.observation.metadata.langfuse_session_id", {}),
        ("ai.telemetry.metadata.sessionId", {}),
        ("ai.telemetry.metadata.session_id", {}),
        ("ai.settings.context.sessionId", {}),
        ("mlflow.trace.session", {}),
        ("langsmith.metadata.session_id", {}),
        ("langsmith.metadata.thread_id", {}),
        ("langsmith.metadata.conversation_id", {}),
        ("lmnr.association.properties.session_id", {}),
        ("gcp.vertex.agent.session_id", {}),
        ("thread_id", {"opik.x": 1}),
    ],
    "organization_id": [
        ("traceloop.association.properties.customer_id", {}),
        ("traceloop.association.properties.organization_id", {}),
        ("traceloop.association.properties.tenant_id", {}),
        ("langfuse.trace.metadata.organization_id", {}),
        ("ai.telemetry.metadata.organizationId", {}),
        ("mlflow.traceTag.organization_id", {}),
        ("langsmith.metadata.organization_id", {}),
        ("openlit.organization.id", OPENLIT),
        ("litellm.team.id", {}),
        ("litellm.team.alias", {}),
        ("metadata.user_api_key_org_id", LITELLM),
        ("metadata.user_api_key_team_id", LITELLM),
        ("organization.id", CLAUDE),
    ],
    "tags": [
        ("tag.tags", {}),
        ("langfuse.trace.tags", {}),
        ("langfuse.tags", {}),
        ("langfuse.trace.metadata.langfuse_tags", {}),
        ("ai.telemetry.metadata.tags", {}),
        ("logfire.tags", {}),
        ("langsmith.span.tags", {}),
        ("gen_ai.framework.tags", OPENLIT),
        ("lmnr.association.properties.tags", {}),
    ],
    "prompt_name": [
        ("gen_ai.prompt.name", {}),
        ("prompt.id", {"openinference.span.kind": "PROMPT"}),
        ("prompt.vendor", {"openinference.span.kind": "PROMPT"}),
        ("traceloop.prompt.key", {}),
        ("langfuse.observation.prompt.name", {}),
        ("langfuse.prompt.name", {}),
    ],
    "prompt_version": [
        ("gen_ai.prompt.version", {}),
        ("llm.prompt_template.version", {"openinference.span.kind": "LLM"}),
        ("traceloop.prompt.version", {}),
        ("traceloop.prompt.version_name", {}),
        ("traceloop.prompt.version_hash", {}),
        ("langfuse.observation.prompt.version", {}),
        ("langfuse.prompt.version", {}),
    ],
    "finish_reason": [
        ("gen_ai.response.finish_reasons", {}),
        ("llm.finish_reason", {"openinference.span.kind": "LLM"}),
        ("gen_ai.completion.0.finish_reason", {}),
        ("gen_ai.response.finish_reason", TRACELOOP),
        ("llm.response.finish_reason", TRACELOOP),
        ("llm.response.stop_reason", TRACELOOP),
        ("ai.response.finishReason", {}),
        ("stop_reason", CLAUDE),
    ],
    "error_type": [
        ("error.type", {}),
        ("gen_ai.framework.error.type", OPENLIT),
        ("litellm.provider.error.code", {}),
    ],
    "status_message": [
        ("langfuse.observation.status_message", {"langfuse.observation.level": "ERROR"}),
        ("gen_ai.framework.error.message", OPENLIT),
        ("error.message", LITELLM),
        ("error", LITELLM),
    ],
    "environment": [
        ("deployment.environment.name", {}),
        ("deployment.environment", {}),
        ("langfuse.environment", {}),
        ("gen_ai.environment", OPENLIT),
    ],
    "release": [
        ("gen_ai.agent.version", {}),
        ("traceloop.entity.version", {}),
        ("langfuse.release", {}),
        ("langfuse.version", {}),
        ("openlit.agent.version_hash", OPENLIT),
    ],
}
# Each kind by the word for it in each vocabulary.
KINDS: dict[Kind, dict[str, tuple[str, ...]]] = {
    Kind.LLM: {
        "gen_ai.operation.name": (
            *("chat", "generate_content", "text_completion", "completion", "generate", "response"),
            *("llm_request", "model_request", "llm_call", "CHAT"),
        ),
        "openinference.span.kind": ("LLM",),
        "llm.request.type": ("chat", "completion"),
        "langfuse.observation.type": ("generation",),
        "ai.operationId": ("ai.generateText.doGenerate", "ai.streamObject.doStream"),
        "mlflow.spanType": ('"LLM"', "CHAT_MODEL"),
        "langsmith.span.kind": ("llm",),
        "lmnr.span.type": ("LLM", "CACHED"),
        "span.type": ("llm_request", "claude_code.llm_request"),
        "genkit:metadata:subtype": ("model",),
    },
    Kind.AGENT: {
        "gen_ai.operation.name": ("invoke_agent", "create_agent", "agent_step", "agent_call", "execute_task"),
        "openinference.span.kind": ("AGENT",),
        "traceloop.span.kind": ("agent",),
        "langfuse.observation.type": ("agent",),
        "ai.operationId": ("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"),
        "mlflow.spanType": ("AGENT",),
        "lmnr.span.type": ("EXECUTOR",),
        "span.type": ("interaction",),
    },
    Kind.TOOL: {
        "gen_ai.operation.name": ("execute_tool", "tool_call"),
        "openinference.span.kind": ("TOOL",),
        "traceloop.span.kind": ("tool",),
        "langfuse.observation.type": ("tool",),
        "ai.operationId": ("ai.toolCall",),
        "mlflow.spanType": ("TOOL",),
        "langsmith.span.kind": ("tool",),
        "lmnr.span.type": ("TOOL",),
        "gen_ai.tool.name": ("find",),
        "gen_ai.tool.call.id": ("c",),
        "mcp.method.name": ("tools/call",),
    },
    Kind.EMBEDDING: {
        "gen_ai.operation.name": ("embeddings", "embedding"),
        "openinference.span.kind": ("EMBEDDING",),
        "llm.request.type": ("embedding",),
        "langfuse.observation.type": ("embedding",),
        "ai.operationId": ("ai.embed.doEmbed", "ai.embedMany.doEmbed"),
        "mlflow.spanType": ("EMBEDDING",),
        "langsmith.span.kind": ("embedding",),
        "genkit:metadata:subtype": ("embedder",),
    },
    Kind.RETRIEVER: {
        "gen_ai.operation.name": ("retrieval", "vector_db_retrieve", "vectordb"),
        "openinference.span.kind": ("RETRIEVER",),
        "langfuse.observation.type": ("retriever",),
        "mlflow.spanType": ("RETRIEVER",),
        "langsmith.span.kind": ("retriever",),
    },
    Kind.RERANKER: {
        "gen_ai.operation.name": ("rerank",),
        "openinference.span.kind": ("RERANKER",),
        "llm.request.type": ("rerank",),
        "ai.operationId": ("ai.rerank.doRerank",),
        "mlflow.spanType": ("RERANKER",),
    },
    Kind.WORKFLOW: {
        "gen_ai.operation.name": ("invoke_workflow", "plan"),
        "openinference.span.kind": ("CHAIN",),
        "traceloop.span.kind": ("workflow", "task"),
        "langfuse.observation.type": ("chain",),
        "mlflow.spanType": ("CHAIN", "WORKFLOW", "TASK"),
        "langsmith.span.kind": ("chain", "parser"),
        "lmnr.span.type": ("DEFAULT", "PIPELINE"),
    },
    Kind.GUARDRAIL: {
        "openinference.span.kind": ("GUARDRAIL",),
        "langfuse.observation.type": ("guardrail",),
        "mlflow.spanType": ("GUARDRAIL",),
        "litellm.guardrail.name": ("g",),
    },
    Kind.EVALUATOR: {
        "openinference.span.kind": ("EVALUATOR",),
        "langfuse.observation.type": ("evaluator",),
        "mlflow.spanType": ("EVALUATOR",),
        "lmnr.span.type": ("EVALUATOR", "EVALUATION", "HUMAN_EVALUATOR"),
    },
    Kind.PROMPT: {
        "openinference.span.kind": ("PROMPT",),
        "langsmith.span.kind": ("prompt",),
        "mcp.method.name": ("prompts/get",),
    },
    Kind.MEMORY: {
        "gen_ai.operation.name": ("search_memory", "update_memory"),
        "mlflow.spanType": ("MEMORY",),
    },
    Kind.EVENT: {"langfuse.observation.type": ("event",)},
    Kind.SPAN: {
        "gen_ai.operation.name": ("their_own",),
        "openinference.span.kind": ("UNKNOWN", "DECISION"),
        "traceloop.span.kind": ("unknown",),
        "langfuse.observation.type": ("span",),
        "ai.operationId": ("ai.embed", "ai.embedMany", "ai.rerank"),
        "mlflow.spanType": ("UNKNOWN", "PARSER"),
        "model_name": ("m",),
    },
}
# One hundred tokens of input, forty of them from a cache, thirty written to it; ten of output, four of them thought.
COUNTS: dict[str, Attributes] = {
    "otel": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_write.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 4,
    },
    "otel deprecated": {
        "gen_ai.usage.prompt_tokens": "100",
        "gen_ai.usage.completion_tokens": "10",
        "gen_ai.usage.cache_read_input_tokens": 40,
        "gen_ai.usage.cache_creation_input_tokens": 30,
        "gen_ai.usage.reasoning_tokens": 4,
    },
    "pydantic ai": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.details.cache_read_tokens": 40,
        "gen_ai.usage.details.cache_write_tokens": 30,
        "gen_ai.usage.details.reasoning_tokens": 4,
    },
    "openlit": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.prompt_tokens_details.cached_tokens": 40,
        "gen_ai.usage.prompt_tokens_details.cache_creation_tokens": 30,
        "gen_ai.usage.completion_tokens_details.reasoning_tokens": 4,
    },
    "openinference": {
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 10,
        "llm.token_count.prompt_details.cache_input": 40,
        "llm.token_count.prompt_details.cache_write": 30,
        "llm.token_count.completion_details.reasoning": 4,
    },
    "traceloop, by the total": TRACELOOP
    | {
        "llm.usage.total_tokens": 110,
        "gen_ai.usage.completion_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 30,
        "llm.usage.reasoning_tokens": 4,
    },
    "langfuse": {
        "langfuse.observation.usage_details": '{"input": 30, "output": 6, "input_cached_tokens": 40,'
        ' "input_cache_creation": 30, "output_reasoning_tokens": 4, "total": 110}'
    },
    "vercel": {
        "ai.usage.inputTokens": 100,
        "ai.usage.outputTokens": 10,
        "ai.usage.inputTokenDetails.cacheReadTokens": 40,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 30,
        "ai.usage.outputTokenDetails.reasoningTokens": 4,
    },
    "vercel, before its details": {
        "ai.usage.promptTokens": 100,
        "ai.usage.completionTokens": 10,
        "ai.usage.cachedInputTokens": 40,
        "ai.usage.reasoningTokens": 4,
        "ai.response.providerMetadata": '{"x": {"cacheCreationInputTokens": 30}}',
    },
    "langsmith": {
        "langsmith.usage_metadata": '{"input_tokens": 100, "output_tokens": 10, "input_token_details":'
        ' {"cache_read": 40, "cache_creation": 30}, "output_token_details": {"reasoning": 4}}'
    },
    "langsmith, beside the otel names": LANGSMITH
    | {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.input_token_details": '{"cache_read": 40, "cache_creation": 30}',
        "gen_ai.usage.output_token_details": '{"reasoning": 4}',
    },
}


@pytest.mark.parametrize(
    ("field", "name", "beside"), [(field, *row) for field, rows in NAMES.items() for row in rows]
)
def test_a_name_fills_its_field(field: str, name: str, beside: Attributes) -> None:
    found = getattr(read(beside | {name: "v"}), field)

    assert (found[0] if isinstance(found, tuple) else found) == "v"


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [(kind, name, word) for kind, by in KINDS.items() for name, words in by.items() for word in words],
)
def test_a_word_says_the_kind(kind: Kind, name: str, word: str) -> None:
    assert read({name: word}).kind is kind
    assert read({name: word.lower()}).kind in {kind, Kind.SPAN if name == "mcp.method.name" else kind}


@pytest.mark.parametrize("names", COUNTS)
def test_tokens_fall_into_the_same_buckets(names: str) -> None:
    assert read(COUNTS[names]).usage == Usage(
        input_uncached=30, cache_read=40, cache_write_5m=30, output=10, reasoning=4
    )


@pytest.mark.parametrize(
    "counts",
    [
        CLAUDE
        | {"input_tokens": 30, "output_tokens": 10, "cache_read_tokens": 40, "cache_creation_tokens": 30},
        {
            "mlflow.chat.tokenUsage": '{"input_tokens": 100, "output_tokens": 10, "total_tokens": 110,'
            ' "cache_read_input_tokens": 40, "cache_creation_input_tokens": 30}'
        },
    ],
)
def test_tokens_of_those_who_tell_no_reasoning(counts: Attributes) -> None:
    assert read(counts).usage == Usage(input_uncached=30, cache_read=40, cache_write_5m=30, output=10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("llm.cost.total", 0.5),
        ("langfuse.observation.cost_details", '{"total": 0.5, "input": 0.1}'),
        ("langfuse.observation.cost_details", '{"input": 0.1, "output": 0.4}'),
        ("operation.cost", 0.5),
        ("mlflow.llm.cost", '{"total_cost": 0.5}'),
        ("langsmith.usage_metadata", '{"total_cost": "0.5"}'),
        ("gen_ai.usage.cost", "0.5"),
        ("gen_ai.usage.input_cost", 0.5),
        ("litellm.cost.total", 0.5),
        ("gen_ai.cost.total_cost", 0.5),
    ],
)
def test_a_cost_is_read(name: str, value: JSONValue) -> None:
    assert f"{read(LITELLM | {'gen_ai.x': 1, name: value}).reported_cost:.2f}" == "0.50"


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.response.time_to_first_chunk": 0.25},
        {"gen_ai.client.operation.time_to_first_chunk": 0.25},
        {"gen_ai.server.time_to_first_token": 0.25},
        {"gen_ai.server.time_to_first_token": 250, "gen_ai.system": "strands-agents"},
        {"ai.response.msToFirstChunk": 250},
        {"ai.stream.msToFirstChunk": 250},
        {"langfuse.observation.completion_start_time": '"2025-11-24T10:00:00.250Z"'},
        {"ttft_ms": 250, **CLAUDE},
    ],
)
def test_the_first_token_in_every_unit(attributes: Attributes) -> None:
    assert read(attributes).time_to_first_token_ns == 250_000_000


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("gen_ai.content.completion.chunk", TRACELOOP),
        ("llm.content.completion.chunk", TRACELOOP),
        ("ai.stream.firstChunk", AI),
    ],
)
def test_the_first_token_as_an_event(name: str, beside: Attributes) -> None:
    span = read(beside, events=(Event(name=name, time_ns=BEGAN_NS + 3),))

    assert span.time_to_first_token_ns == 3


@pytest.mark.parametrize(
    ("attributes", "params"),
    [
        ({"gen_ai.request.top_k": 4, "gen_ai.output.type": "json"}, {"top_k": 4, "output.type": "json"}),
        ({"gen_ai.openai.request.seed": 4}, {"seed": 4}),
        ({"openai.request.service_tier": "flex"}, {"service_tier": "flex"}),
        ({"llm.invocation_parameters": '{"top_k": 4}'}, {"top_k": 4}),
        ({"embedding.invocation_parameters": '{"top_k": 4}', "embedding.model_name": "m"}, {"top_k": 4}),
        ({"llm.top_k": 4, **TRACELOOP}, {"top_k": 4}),
        ({"langfuse.observation.model.parameters": '{"top_k": 4}'}, {"top_k": 4}),
        ({"ai.settings.topK": 4}, {"topK": 4}),
        ({"mlflow.spanInputs": '{"messages": [], "top_k": 4}', **MLFLOW}, {"top_k": 4}),
    ],
)
def test_parameters_of_a_request(attributes: Attributes, params: Attributes) -> None:
    assert read({"gen_ai.x": 1} | attributes).request_params == params


@pytest.mark.parametrize("name", ["db.query.result", "db.search.result"])
def test_documents_that_a_store_found(name: str) -> None:
    span = read({"db.system": "chroma", "db.operation": "query"}, events=(event(name, {"id": "d1"}),))

    assert (span.kind, span.output) == (Kind.RETRIEVER, [{"id": "d1"}])


@pytest.mark.parametrize(
    "name", ["mcp.session.id", "langsmith.trace.session_id", "langsmith.trace.session_name"]
)
def test_other_things_that_are_called_a_session(name: str) -> None:
    assert read({name: "v", "gen_ai.x": 1}).session_id is None


def test_what_is_only_declared_is_not_what_a_tool_was_given() -> None:
    assert read({"openinference.span.kind": "TOOL", "tool.parameters": '{"type": "object"}'}).input is None
