"""The closed list of trace filters: each a SQL condition over one trace's spans, with typed parameters.

Conditions go into HAVING: they are about the trace (its user, whether it failed), never about one row of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, assert_never

from traces import score_filters, search
from traces.attribute import Attribute, cut
from traces.score_filters import ScoreCondition

Value: TypeAlias = str | int | float | list[str]

# The span that speaks for its trace: the root, or while that has not arrived the earliest span.
# As one number, which compares faster than a tuple: not the root, the start in ns since 1970, the id.
RANK = """bitOr(
            bitShiftLeft(toUInt128(ifNull(parent_id, 1) != 0), 127),
            bitOr(
                bitShiftLeft(toUInt128(greatest(ifNull(toUnixTimestamp64Nano(start_time), 0), 0)), 64),
                toUInt128(span_id)))"""
BILLED = "kind IN ('llm', 'embedding', 'reranker')"
HAS_ROOT = "countIf(parent_id = 0) > 0"
STARTED = "min(start_time)"
STATUS = f"""multiIf(
        {HAS_ROOT}, if(argMin(status, {RANK}) = 'error', 'error', 'ok'),
        countIf(status = 'error') > 0, 'error',
        'ok')"""
EXTENT_NS = "ifNull(toUnixTimestamp64Nano(max(end_time)) - toUnixTimestamp64Nano(min(start_time)), 0)"
# Of a root that is still open so much as is known. In a tuple, because argMin passes over what is NULL itself.
LATENCY_NS = f"""if(
        {HAS_ROOT},
        ifNull(
            argMin(tuple(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)), {RANK}).1,
            {EXTENT_NS}),
        {EXTENT_NS})"""
IS_OPEN = f"{HAS_ROOT} AND argMin(end_time IS NULL, {RANK})"
# A call that several spans tell is counted in one of them: see `calls`.
COUNTED = f"{BILLED} AND counted_in = 0"
# Calls that are billed, and tools that have a price. What an unpriced call once cost is not summed: see 0006.
COSTED = "kind IN ('llm', 'embedding', 'reranker', 'tool') AND cost_state != 'unpriced' AND counted_in = 0"
COST = f"sumIf(cost_usd, {COSTED})"
INPUT = """ifNull(input_uncached_tokens, 0) + ifNull(cache_read_tokens, 0)
            + ifNull(cache_write_5m_tokens, 0) + ifNull(cache_write_1h_tokens, 0)"""
INPUT_TOKENS = f"""sumIf(
        {INPUT},
        {COUNTED})"""
OUTPUT_TOKENS = f"sumIf(ifNull(output_tokens, 0), {COUNTED})"
LLM_CALLS = "countIf(kind = 'llm' AND counted_in = 0)"
UNPRICED_CALLS = f"countIf({COUNTED} AND cost_state = 'unpriced')"
TAGS = "JSONExtract(ifNull(tags, '[]'), 'Array(String)')"
# The two expressions that `schema/0004_search.sql` indexes, letter by letter: an index serves no other.
WORDS = """lowerUTF8(replaceAll(replaceAll(concat(
        ifNull(name, ''), ' ¦ ', ifNull(status_message, ''), ' ¦ ', ifNull(error_type, ''), ' ¦ ',
        ifNull(input, ''), ' ¦ ', ifNull(output, ''), ' ¦ ', ifNull(events, ''), ' ¦ ',
        arrayStringConcat(mapValues(log_entries), ' ¦ ')), '\\\\n', ' '), '\\\\t', ' '))"""
FACETS = """arrayStringConcat([
        ifNull(attributes, ''),
        ifNull(resource, ''),
        arrayStringConcat(JSONExtractKeys(ifNull(attributes, '')), ','),
        arrayStringConcat(JSONExtractKeys(ifNull(resource, '')), ','),
        concat('prompt_name=', ifNull(prompt_name, '')),
        concat('prompt_version=', ifNull(prompt_version, ''))], ',')"""
# For each attribute of a span or its resource `key=`, and `key=value` as JSON; a list's items one by one.
CARRIED = """arrayFlatten(arrayMap(
        pair -> arrayPushFront(
            arrayMap(
                item -> concat(pair.1, '=', leftUTF8(item, 200)),
                if(startsWith(pair.2, '['), JSONExtractArrayRaw(pair.2), [pair.2])),
            concat(pair.1, '=')),
        arrayConcat(
            JSONExtractKeysAndValuesRaw(ifNull(attributes, '')),
            JSONExtractKeysAndValuesRaw(ifNull(resource, '')))))"""
# Columns that no list reads but for a filter that asks about them.
UNLISTED = (
    "status_message", "error_type", "input", "output", "events", "log_entries", "attributes", "resource",
    "prompt_name", "prompt_version",
)  # fmt: skip


def spans(columns: Iterable[str], narrowed: str = "") -> str:
    """A subquery of whole spans: every read's FROM. `narrowed` are further conditions on the stored `part`s.

    A span lies in the table in parts (docs/decisions/0001) until they are merged; here each column is the last
    value written, whatever day's partition a part lies in. FINAL would do the same and was ten times slower for
    few traces: it reads every partition, because it must not prune by a column outside of the key. What log
    records alone have told of a span is left out until the span itself is there and says when it began.
    """
    picked = ",\n        ".join(f"{_whole(column)} AS {column}" for column in columns)
    return f"""(
    SELECT
        part.trace_id AS trace_id,
        part.span_id AS span_id,
        {picked}
    {_of_parts(narrowed)}
    GROUP BY
        part.trace_id,
        part.span_id
    HAVING count(part.start_time) > 0
)"""  # closed parts only


def parts(columns: Iterable[str], narrowed: str = "") -> str:
    """Stored parts as they are, with columns as `spans` has them: the same where no span is `IN_PARTS`, and faster."""
    picked = ",\n        ".join(f"part.{column} AS {column}" for column in columns)
    return f"""(
    SELECT
        part.trace_id AS trace_id,
        part.span_id AS span_id,
        0 AS counted_in,
        {picked}
    {_of_parts(narrowed)}
)"""  # closed parts only


def of_parts(condition: str) -> str:
    """A condition on parts: those of `trace_ids` of which some part fulfils this one, which the indexes answer."""
    return f"""AND part.trace_id IN
      (
          SELECT part.trace_id
          {_of_parts(f"{OF_TRACES} AND {condition}")}
      )"""  # closed parts only


def _of_parts(narrowed: str) -> str:
    """The stored parts of the window.

    PREWHERE is said, because finding out by statistics which conditions belong there took longer than the read of a
    trace. What narrows comes first: the project and the day are then read of the granules that have something left,
    and are known for whole parts anyhow.
    """
    bound = """part.project_id = {project_id:UInt64}
      AND part.day BETWEEN {first_day:Date} AND {last_day:Date}"""
    if not narrowed:
        return f"FROM spans AS part\n    PREWHERE {bound}"
    return f"""FROM spans AS part
    PREWHERE {narrowed.strip().removeprefix("AND ")}
    WHERE {bound}"""


# Whether a span of the trace lies in several of its `parts`, or is known by a log record alone.
IN_PARTS = "(count() > uniqExact(span_id) OR countIf(start_time IS NULL) > 0)"

# Columns that tell whether two spans are of one call, and which is counted.
TELLING = ("response_id", "scope")
TOKENS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
SUMMED = ("parent_id", "start_time", "end_time", "kind", *TOKENS, "cost_state")
_ANSWERED = f"{BILLED} AND response_id != ''"
_ANSWERS = f"groupArrayIf(assumeNotNull(cityHash64(response_id)), {_ANSWERED})"


def may_repeat(exact: bool) -> str:
    """Whether sums over a trace need `exact` calls: two of them share a response id, or one is a child of another."""
    if exact:
        return "0"
    return f"""(length(arrayDistinct({_ANSWERS})) < length({_ANSWERS})
        OR notEmpty(arrayIntersect(
            groupArrayIf(span_id, {BILLED}), groupUniqArrayIf(ifNull(parent_id, 0), {BILLED}))))"""


def calls(columns: Iterable[str], narrowed: str = "", *, exact: bool) -> str:
    """`spans` with `counted_in`: the span that is counted in place of this one, or 0 (docs/decisions/0016).

    Spans of a trace tell the same call when they carry the same response id at overlapping times; or when one is the
    child of the other, by another library, and used the same tokens. Counted is the one that knows the usage, then one
    with a price, then the innermost. Not `exact`, every span counts: much faster, and right for the traces of which
    nothing `may_repeat`.
    """
    whole = spans((*columns, *TELLING), narrowed)
    if not exact:
        return f"(SELECT *, 0 AS counted_in FROM {whole})"  # noqa: S608  # closed parts only
    return f"""(
    SELECT
        *,
        first_value(span_id) OVER answer AS answered_in,
        leadInFrame(response_id, 1, '') OVER alike AS next_response_id,
        used_tokens
            AND leadInFrame(parent_id) OVER alike = span_id
            AND leadInFrame(scope) OVER alike != scope
            AND leadInFrame(end_time) OVER alike <= end_time
            AND (ifNull(response_id, '') IN ('', next_response_id) OR ifNull(next_response_id, '') = '') AS told_within,
        multiIf(
            answered_in != span_id, answered_in,
            told_within, leadInFrame(span_id) OVER alike,
            0) AS counted_in
    FROM {_with_answers(whole)}
    WINDOW
        answer AS
        (
            PARTITION BY trace_id, answer_id, answer_number
            ORDER BY
                used_tokens DESC,
                ifNull(cost_state, '') IN ('computed', 'reported') DESC,
                start_time DESC,
                end_time,
                span_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ),
        alike AS
        (
            PARTITION BY trace_id, used_tokens, all_input_tokens, output_tokens
            ORDER BY start_time, span_id
            ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
        )
)"""  # noqa: S608  # closed parts only


def _with_answers(whole: str) -> str:
    """Whole spans, and which answer of a response id each tells: a new one starts when all before it have ended."""
    return f"""
    (
        SELECT
            *,
            sum(begins) OVER (PARTITION BY trace_id, answer_id ORDER BY start_time, span_id) AS answer_number
        FROM
        (
            SELECT
                *,
                ifNull(
                    start_time >= max(end_time) OVER earlier AND start_time > max(start_time) OVER earlier,
                    0) AS begins
            FROM
            (
                SELECT
                    *,
                    if({_ANSWERED}, cityHash64(response_id), span_id) AS answer_id,
                    {INPUT} AS all_input_tokens,
                    ifNull({BILLED} AND all_input_tokens + ifNull(output_tokens, 0) > 0, 0) AS used_tokens
                FROM {whole}
            )
            WINDOW earlier AS
            (
                PARTITION BY trace_id, answer_id
                ORDER BY start_time, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
    )"""  # noqa: S608  # closed parts only


# A condition on parts for `spans`: those of `trace_ids`.
OF_TRACES = "AND part.trace_id IN {trace_ids:Array(UUID)}"


def _whole(column: str) -> str:
    """The column of a whole span: what was written last, but entries of log records are all kept."""
    if column == "log_entries":
        return f"maxMap(part.{column})"
    return f"argMax(part.{column}, part.updated_at)"


def belongs(column: str) -> str:
    """What the trace belongs to: the root's value, else that of the earliest span that carries one."""
    return f"argMinIf({column}, {RANK}, {column} != '')"


class Order(StrEnum):
    NEWEST = "-time"
    OLDEST = "time"
    SLOWEST = "-latency"
    DEAREST = "-cost"
    MOST_TOKENS = "-tokens"


# Order -> (whole-number sort key, ascending)
ORDER_KEYS: Mapping[Order, tuple[str, bool]] = {
    Order.NEWEST: (f"toUnixTimestamp64Nano({STARTED})", False),
    Order.OLDEST: (f"toUnixTimestamp64Nano({STARTED})", True),
    Order.SLOWEST: (f"toInt64({LATENCY_NS})", False),
    Order.DEAREST: (f"toInt64(ifNull({COST}, 0) * 1000000000)", False),
    Order.MOST_TOKENS: (f"toInt64(ifNull({INPUT_TOKENS} + {OUTPUT_TOKENS}, 0))", False),
}


@dataclass(frozen=True, slots=True)
class TraceFilters:
    """What a list of traces is narrowed to; an empty field does not narrow."""

    user_id: str = ""
    session_id: str = ""
    organization_id: str = ""
    feature: str = ""
    environment: str = ""
    status: str = ""  # "ok" or "error": that of the trace, which is its root's
    has_error: bool | None = None  # whether any span failed
    name: str = ""
    model: str = ""
    tool: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    without: tuple[str, ...] = ()  # names of `LACKS`: all of them
    tags: tuple[str, ...] = ()  # all of them
    attribute: tuple[Attribute, ...] = ()  # all of them, on whichever spans
    score: ScoreCondition | None = None  # on the trace, on any span or on its session
    min_latency_ms: int | None = None
    min_cost_usd: Decimal | None = None
    q: str = ""

    @property
    def any(self) -> bool:
        return self != TraceFilters()

    @property
    def counts_calls(self) -> bool:
        """Whether it matters which of several spans that tell the same call is counted."""
        return self.min_cost_usd is not None or not _CALLS_WITHOUT.keys().isdisjoint(self.without)


_EQUALITIES: Mapping[str, str] = {
    "user_id": f"{belongs('user_id')} = {{user_id:String}}",
    "session_id": f"{belongs('session_id')} = {{session_id:String}}",
    "organization_id": f"{belongs('organization_id')} = {{organization_id:String}}",
    "feature": f"{belongs('feature')} = {{feature:String}}",
    "environment": f"{belongs('environment')} = {{environment:String}}",
    "status": f"{STATUS} = {{status:String}}",
    "name": f"argMin(name, {RANK}) = {{name:String}}",
    "model": "countIf(model = {model:String}) > 0",
    "tool": "countIf(tool_name = {tool:String}) > 0",
    "prompt_name": "countIf(prompt_name = {prompt_name:String}) > 0",
    "prompt_version": "countIf(prompt_version = {prompt_version:String}) > 0",
}


# What a trace belongs to and may not name at all; and what calls have, of which one call may name none.
BELONGINGS = ("user_id", "session_id", "organization_id", "feature", "environment")
_CALLS_WITHOUT: Mapping[str, str] = {
    "model": f"{BILLED} AND ifNull(model, '') = ''",
    "tool": "kind = 'tool' AND ifNull(tool_name, '') = ''",
    "prompt_name": f"{BILLED} AND ifNull(prompt_name, '') = ''",
}
LACKS: Mapping[str, str] = {
    **{name: f"countIf(ifNull({name}, '') != '') = 0" for name in BELONGINGS},
    **{name: f"countIf({lacks} AND counted_in = 0) > 0" for name, lacks in _CALLS_WITHOUT.items()},
}


_FAILED: Mapping[bool, str] = {
    True: "countIf(status = 'error') > 0",
    False: "countIf(status = 'error') = 0",
}


def conditions(
    filters: TraceFilters, *, of_these: bool = False, unsaid: bool = False
) -> tuple[list[str], dict[str, Value]]:
    """The HAVING conditions of `filters`, and the parameters that they and those of `looked_up` name.

    `of_these`: for a statement that is about the traces of a parameter `trace_ids`, which saves looking at others.
    `unsaid`: without those on what a span says, for traces of which `LookUps` hold and whose parts are whole spans:
    both ask the same of the same rows then, and it is most of what a trace holds.
    """
    clauses: list[str] = []
    parameters: dict[str, Value] = {}
    for field, clause in _EQUALITIES.items():
        if value := getattr(filters, field):
            clauses.append(clause)
            parameters[field] = value
    clauses += [LACKS[name] for name in filters.without]
    if filters.has_error is not None:
        clauses.append(_FAILED[filters.has_error])
    if filters.prompt_name and filters.prompt_version:
        clauses.append(
            "countIf(prompt_name = {prompt_name:String} AND prompt_version = {prompt_version:String}) > 0"
        )
    if filters.min_latency_ms is not None:
        clauses.append(f"{LATENCY_NS} >= {{min_latency_ns:Int64}}")
        parameters["min_latency_ns"] = filters.min_latency_ms * 1_000_000
    if filters.min_cost_usd is not None:
        clauses.append(f"{COST} >= toDecimal128({{min_cost_usd:String}}, 12)")
        parameters["min_cost_usd"] = f"{filters.min_cost_usd:f}"
    for number, tag in enumerate(filters.tags):
        clauses.append(f"countIf(has({TAGS}, {{tag_{number}:String}})) > 0")
        parameters[f"tag_{number}"] = tag
    if filters.score is not None:
        session = f"ifNull({belongs('session_id')}, '')"
        clauses.append(score_filters.decides(filters.score, session=session, of_these=of_these))
        parameters |= score_filters.parameters_of(filters.score)
    carried, facets = _carried(filters)
    parameters |= facets | looked_up(filters).parameters
    said = [] if unsaid else [term.exactly for term in _said(filters)[0]]
    told = said + carried
    return [*clauses, *(f"countIf({condition}) > 0" for condition in told)], parameters


@dataclass(frozen=True, slots=True)
class LookUps:
    """Conditions on stored parts of spans, which the indexes of `spans` answer.

    Each of `said` and `told` holds for some part of every trace that `conditions` keeps, and perhaps of others: all
    that a condition asks about is in one field, and a field is written whole. `unread` are conditions on what a part
    says of which `said` holds only what an index knows: whoever asks for nothing else reads texts by them.
    """

    said: tuple[str, ...]
    told: tuple[str, ...]
    unread: tuple[str, ...]
    parameters: dict[str, Value]


def looked_up(filters: TraceFilters) -> LookUps:
    """What is looked up for these filters, and the parameters that it names."""
    prompt = {"prompt_name": filters.prompt_name, "prompt_version": filters.prompt_version}
    asked = [attribute.looked_up for attribute in filters.attribute]
    asked += [[cut(f"{column}={value}")] for column, value in prompt.items() if value]
    terms, parameters = _said(filters)
    by_index = [term.by_index for term in terms if term.by_index]
    told = [f"({_CALLS_WITHOUT[name]})" for name in filters.without if name in _CALLS_WITHOUT]
    for number, ways in enumerate(asked):
        names = [f"cuts_{number}_{way}" for way in range(len(ways))]
        either = " OR ".join(f"hasAllTokens({FACETS}, {{{name}:Array(String)}})" for name in names)
        told.append(f"({either})")
        parameters |= dict(zip(names, ways, strict=True))
    return LookUps(
        said=tuple(by_index or [term.exactly for term in terms]),
        told=tuple(told),
        unread=tuple(term.exactly for term in terms if by_index and term.exactly != term.by_index),
        parameters=parameters,
    )


def _carried(filters: TraceFilters) -> tuple[list[str], dict[str, Value]]:
    clauses: list[str] = []
    parameters: dict[str, Value] = {}
    for number, attribute in enumerate(filters.attribute):
        needles, facets = f"{{needles_{number}:Array(String)}}", f"{{facets_{number}:Array(String)}}"
        clauses.append(f"({_may_carry(needles)} AND hasAny({CARRIED}, {facets}))")
        parameters |= {f"needles_{number}": attribute.needles, f"facets_{number}": attribute.facets}
    return clauses, parameters


def _may_carry(needles: str) -> str:
    """A look at the text takes a fortieth of taking it apart."""
    looks = (f"multiSearchAny(ifNull({column}, ''), {needles})" for column in ("attributes", "resource"))
    return f"({' OR '.join(looks)})"


@dataclass(frozen=True, slots=True)
class _Saying:
    """That a part of a span says a term; and what the index alone knows of that, "" for nothing."""

    exactly: str
    by_index: str


def _said(filters: TraceFilters) -> tuple[list[_Saying], dict[str, Value]]:
    """Conditions of which each has to hold for any one span of the trace."""
    found: list[_Saying] = []
    parameters: dict[str, Value] = {}
    for number, term in enumerate(search.terms(filters.q)):
        found.append(_saying(number, term))
        parameters |= {f"term_{number}": term.text, f"like_{number}": f"%{term.longest_word}%"}
    return found, parameters


def _saying(number: int, term: search.Term) -> _Saying:
    text = f"lowerUTF8({{term_{number}:String}})"
    words = f"hasAllTokens({WORDS}, {text})"
    match term.kind:
        case search.Kind.WORD:
            return _Saying(words, words)
        case search.Kind.PHRASE:
            return _Saying(f"({words} AND hasPhrase({WORDS}, {text}))", words)
        case search.Kind.PART:
            return _having(number, term, text)
    assert_never(term.kind)


def _having(number: int, term: search.Term, text: str) -> _Saying:
    """A part of a word is looked up among the index's words; where there is more to it, the text decides."""
    word = term.longest_word
    like = f"{WORDS} LIKE lowerUTF8({{like_{number}:String}})"
    if word == term.text:
        return _Saying(like, like)
    reads = f"position({WORDS}, {text}) > 0"
    return _Saying(f"({like} AND {reads})", like) if word else _Saying(reads, "")
