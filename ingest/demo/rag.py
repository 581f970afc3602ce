"""Retrieval-augmented answering in the OpenInference vocabulary: embedding, retriever, reranker, model."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.demo.genai import to_json
from ingest.demo.otlp import Service, Step, Trace, in_sequence, moved, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import Attributes

SERVICE = Service(name="handbook-answers", version="3.4.0")
QUESTION = "How many days of parental leave do I get, and who signs it off? I am in the Porto office."
_DOCUMENTS = (
    (
        "handbook-118",
        0.83,
        "Parental leave: 20 weeks at full pay for every parent, to be taken within a year.",
    ),
    (
        "handbook-121",
        0.79,
        "Leave above two weeks is signed off by the head of department and People Operations.",
    ),
    ("handbook-044", 0.61, "Porto: local law adds an initial parental leave of 120 or 150 consecutive days."),
    ("handbook-007", 0.42, "Questions about leave: people-ops@meridian-labs.com or +351 22 207 9300."),
)
_ANSWER = (
    "You get 20 weeks at full pay, on top of the 120 or 150 days of Portuguese law. Your head of department"
    " and People Operations (people-ops@meridian-labs.com) sign it off. [handbook-118] [handbook-121]"
)


def build(now: datetime, ids: random.Random) -> Scenario:
    trace = Trace(
        trace_id=new_trace_id(ids), root=_root(), began=now - timedelta(minutes=47), service=SERVICE
    )
    return Scenario(
        traces=(trace,),
        pages=(
            Page(trace_id=trace.trace_id, title="Retrieval: embedding, retriever, reranker (OpenInference)"),
        ),
    )


def _root() -> Step:
    children = in_sequence(0.02, _retriever(), _reranker(), _llm())
    return Step(
        name="answer_question",
        at=0.0,
        seconds=round(0.05 + sum(child.seconds for child in children), 3),
        attributes={
            **_kind("CHAIN"),
            **_texts(QUESTION, _ANSWER),
            "user.id": "u-3310",
            "session.id": "s-handbook-77",
            "metadata": to_json(
                {
                    "organization_id": "meridian-labs",
                    "feature": "query",
                    "input_type": "voice",
                    "office": "Porto",
                }
            ),
            "tag.tags": ["handbook", "hr"],
        },
        children=children,
    )


def _retriever() -> Step:
    return Step(
        name="VectorStoreRetriever",
        at=0.0,
        seconds=0.34,
        attributes={
            **_kind("RETRIEVER"),
            "input.value": QUESTION,
            **_documents("retrieval.documents", _DOCUMENTS),
        },
        children=(moved(_embedding(), 0.01),),
    )


def _embedding() -> Step:
    return Step(
        name="OpenAIEmbeddings",
        at=0.0,
        seconds=0.12,
        attributes={
            **_kind("EMBEDDING"),
            "embedding.model_name": "text-embedding-3-small",
            "llm.provider": "openai",
            "embedding.embeddings.0.embedding.text": QUESTION,
            "llm.token_count.prompt": 24,
            "llm.token_count.total": 24,
        },
    )


def _reranker() -> Step:
    best_first = (_DOCUMENTS[0], _DOCUMENTS[2], _DOCUMENTS[1])
    return Step(
        name="CohereRerank",
        at=0.0,
        seconds=0.21,
        attributes={
            **_kind("RERANKER"),
            "reranker.model_name": "rerank-v3.5",
            "llm.provider": "cohere",
            "reranker.query": QUESTION,
            "reranker.top_k": 3,
            **_documents("reranker.input_documents", _DOCUMENTS),
            **_documents("reranker.output_documents", best_first),
        },
    )


def _llm() -> Step:
    system = "Answer from the documents only, with their ids in brackets.\n\n" + "\n".join(
        f"[{document_id}] {content}" for document_id, _, content in _DOCUMENTS
    )
    return Step(
        name="ChatOpenAI",
        at=0.0,
        seconds=1.93,
        attributes={
            **_kind("LLM"),
            "llm.model_name": "gpt-4.1-mini",
            "llm.provider": "openai",
            "llm.system": "openai",
            "llm.invocation_parameters": to_json({"temperature": 0, "max_tokens": 512}),
            **_chat_message("llm.input_messages.0", "system", system),
            **_chat_message("llm.input_messages.1", "user", QUESTION),
            **_chat_message("llm.output_messages.0", "assistant", _ANSWER),
            **_texts(QUESTION, _ANSWER),
            "llm.token_count.prompt": 312,
            "llm.token_count.prompt_details.cache_read": 128,
            "llm.token_count.completion": 74,
            "llm.token_count.total": 386,
            "llm.prompt_template.version": "2",
        },
    )


def _kind(kind: str) -> Attributes:
    return {"openinference.span.kind": kind}


def _texts(asked: str, answered: str) -> Attributes:
    return {
        "input.value": asked,
        "input.mime_type": "text/plain",
        "output.value": answered,
        "output.mime_type": "text/plain",
    }


def _chat_message(prefix: str, role: str, content: str) -> Attributes:
    return {f"{prefix}.message.role": role, f"{prefix}.message.content": content}


def _documents(prefix: str, documents: Sequence[tuple[str, float, str]]) -> Attributes:
    flat: Attributes = {}
    for number, (document_id, score, content) in enumerate(documents):
        base = f"{prefix}.{number}.document"
        flat |= {f"{base}.id": document_id, f"{base}.score": score, f"{base}.content": content}
    return flat
