"""What users and a judge said of some of the demo's traces, as the scores API takes it."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta

from ingest.demo.otlp import Trace
from traces.span import JSONValue

RATED = 0.12
JUDGED = 0.25
# How often each verdict is given, and what was written with it.
_VERDICTS: dict[str, tuple[float, tuple[str, ...]]] = {
    "up": (6, ("", "", "", "Saved me an hour.", "Right tone for this customer.")),
    "down": (2, ("", "Took too long.", "It asked me what it should have looked up.")),
    "wrong": (1, ("The renewal date is not in the contract.", "There is no such discount.")),
}


def ratings(traces: Sequence[Trace]) -> list[dict[str, JSONValue]]:
    """The same for the same number of traces: each under an id made of its trace's."""
    chance = random.Random(7)  # noqa: S311  # which traces are rated is no secret
    return [score for trace in traces for score in _of(trace, chance)]


def _of(trace: Trace, chance: random.Random) -> Iterator[dict[str, JSONValue]]:
    given = {"trace_id": trace.trace_id, "time": (trace.began + timedelta(minutes=3)).isoformat()}
    if chance.random() < RATED:
        verdict = chance.choices(list(_VERDICTS), [often for often, _ in _VERDICTS.values()])[0]
        yield {
            **given,
            "id": f"demo-{trace.trace_id}-feedback",
            "name": "feedback",
            "value": verdict,
            "comment": chance.choice(_VERDICTS[verdict][1]),
        }
    if chance.random() < JUDGED:
        yield {
            **given,
            "id": f"demo-{trace.trace_id}-quality",
            "name": "quality",
            "value": round(min(max(chance.gauss(0.78, 0.14), 0), 1), 2),
            "author": "judge",
        }
