"""Token counts as an emitter gives them to the disjoint buckets of `traces.span.Usage`."""

import re

from traces.span import JSONValue, Usage

# A count in JSON text, or in the text that Python prints of a dictionary.
_COUNT = re.compile(r"""["'](\w+)["']: ?(\d{1,15})(?![\d.])""")


def buckets(
    *,
    input: int | None = None,
    output: int | None = None,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
    total: int | None = None,
) -> Usage | None:
    """All counts from one convention. `input` may or may not include cached tokens, `output` the reasoning:
    conventions ask for both to be included, and the counts themselves show where an emitter did otherwise.
    `cache_write_1h` is the part of `cache_write` that lives an hour.
    """
    if input is None and total is not None and output is not None:
        input = max(total - output, 0)
    if input is None and output is None and cache_read is None and cache_write is None and reasoning is None:
        return None
    if not (cache_read or cache_write or reasoning):
        return Usage(
            input_uncached=input,
            cache_read=cache_read,
            cache_write_5m=cache_write,
            output=output,
            reasoning=reasoning,
        )
    one_hour = min(cache_write_1h, cache_write or 0) if cache_write_1h else None
    return Usage(
        input_uncached=_uncached(input, output, (cache_read or 0) + (cache_write or 0), total),
        cache_read=cache_read,
        cache_write_5m=cache_write - (one_hour or 0) if cache_write is not None else None,
        cache_write_1h=one_hour,
        output=_whole_output(input, output, reasoning, total),
        reasoning=reasoning,
    )


def _uncached(input: int | None, output: int | None, cached: int, total: int | None) -> int | None:
    if input is None:
        return None
    left_out = cached > input or (cached and total == input + (output or 0) + cached)
    return input if left_out else input - cached


def _whole_output(
    input: int | None, output: int | None, reasoning: int | None, total: int | None
) -> int | None:
    if output is None or not reasoning:
        return output
    left_out = reasoning > output or total == (input or 0) + output + reasoning
    return output + reasoning if left_out else output


def counts_within(value: JSONValue) -> dict[str, int]:
    """Every count by its key, however deep it lies. Some emitters send Python's own text of a dictionary, which is
    not JSON."""
    if isinstance(value, str):
        return {key: int(number) for key, number in _COUNT.findall(value)}
    found: dict[str, int] = {}
    level: list[JSONValue] = [value]
    while level:
        held = level.pop()
        if isinstance(held, dict):
            found |= {key: n for key, n in held.items() if type(n) is int and 0 <= n < 10**15}
            level += held.values()
    return found
