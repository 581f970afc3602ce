"""What a scenario is: a title, its traces, and what a reader should look at."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from ingest.demo.otlp import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A trace worth opening, and why."""

    trace_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    traces: tuple[Trace, ...]
    pages: tuple[Page, ...]


# Given the present and a source of ids; the texts are always the same, the ids never.
Builder: TypeAlias = Callable[[datetime, random.Random], Scenario]
