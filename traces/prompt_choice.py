"""Which earlier model call a prompt is compared with: the one before it in the same conversation. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from traces.call_queries import CallSpan


@dataclass(frozen=True, slots=True)
class Agent:
    """The run of an agent that a call is made in; "" where it is made in none."""

    span_id: str
    name: str


def session_of(calls: Iterable[CallSpan]) -> str:
    """The session of the trace: the root's, else the first that any span carries."""
    carried = [call for call in calls if call.session_id]
    return min(carried, key=lambda call: call.parent_id is not None).session_id if carried else ""


def earlier(calls: Sequence[CallSpan], span_id: str) -> list[CallSpan]:
    """The model calls before one, the nearest first."""
    place = next((place for place, call in enumerate(calls) if call.span_id == span_id), 0)
    return [call for call in reversed(calls[:place]) if call.kind == "llm"]


def previous(calls: Sequence[CallSpan], span_id: str) -> CallSpan | None:
    """The last model call before one in the same run of an agent, else in any run of that agent."""
    by_id = {call.span_id: call for call in calls}
    before = earlier(calls, span_id)
    if span_id not in by_id:
        return None
    agent = agent_of(by_id[span_id], by_id)
    agents = [(call, agent_of(call, by_id)) for call in before]
    same_run = (call for call, other in agents if other.span_id == agent.span_id)
    same_agent = (call for call, other in agents if other.name == agent.name)
    return next(same_run, None) or next(same_agent, None)


def last(calls: Sequence[CallSpan], agent_name: str) -> CallSpan | None:
    """The last model call of an agent in a trace, else of any."""
    by_id = {call.span_id: call for call in calls}
    models = [call for call in reversed(calls) if call.kind == "llm"]
    of_agent = (call for call in models if agent_of(call, by_id).name == agent_name)
    return next(of_agent, None) or next(iter(models), None)


def agent_of(call: CallSpan, by_id: Mapping[str, CallSpan]) -> Agent:
    """The nearest agent above a call; a call that names its agent says so itself."""
    met: set[str] = set()
    above = by_id.get(call.parent_id or "")
    while above is not None and above.span_id not in met:
        if above.kind == "agent":
            return Agent(above.span_id, call.agent_name or above.agent_name or above.name)
        met.add(above.span_id)
        above = by_id.get(above.parent_id or "")
    return Agent("", call.agent_name)
