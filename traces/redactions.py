"""Counts of what was replaced in a span, by detector. Pure."""

from collections.abc import Mapping


def added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Both counts as one."""
    if not counts:
        return dict(more)
    return {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}
