"""Which days cost more than the week before lets expect: three standard deviations above its mean. Pure.

The sample is the seven days before, from the first of them with any cost on: nobody is measured against days on which
they were not here yet. Small samples say little, so a day is judged only from `MIN_DAYS` days on, and only where it
cost at least `MIN_USD`: what costs cents is nobody's anomaly. A week without variation would make any cent one, so
the deviation counts as at least `MIN_SPREAD` of the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum

WINDOW_DAYS = 7
SIGMAS = 3
MIN_DAYS = 4
MIN_USD = Decimal(1)
MIN_SPREAD = Decimal("0.1")
_BEFORE = tuple(timedelta(days=ago) for ago in range(WINDOW_DAYS, 0, -1))
_NOTHING = Decimal(0)
_DIGITS = 40
_STORED = Decimal("1e-12")


class Verdict(StrEnum):
    SPIKE = "spike"
    USUAL = "usual"
    TOO_SMALL = "too_small"  # less than `MIN_USD` on the day
    TOO_NEW = "too_new"  # fewer than `MIN_DAYS` days to compare with


@dataclass(frozen=True, slots=True)
class Judgement:
    """One day against the days before it. `mean` to `threshold` are None where there is too little to compare with."""

    day: date
    spent: Decimal
    sample: tuple[Decimal, ...]  # the days compared with, oldest first
    verdict: Verdict
    mean: Decimal | None = None
    deviation: Decimal | None = None  # of the sample (n - 1), or its floor
    threshold: Decimal | None = None

    @property
    def sigmas(self) -> Decimal | None:
        """How many standard deviations above the mean."""
        if self.mean is None or not self.deviation:
            return None
        return (self.spent - self.mean) / self.deviation

    @property
    def excess(self) -> Decimal:
        """What is above the mean; the whole day where there is none."""
        return self.spent - (self.mean or 0)


def judge(spent: Mapping[date, Decimal], day: date) -> Judgement:
    """A day of one series; a day that the series leaves out cost nothing."""
    amount = spent.get(day, Decimal(0))
    sample = _sample(spent, day)
    if amount < MIN_USD:
        return Judgement(day, amount, sample, Verdict.TOO_SMALL)
    if len(sample) < MIN_DAYS:
        return Judgement(day, amount, sample, Verdict.TOO_NEW)
    mean, deviation = mean_and_deviation(sample)
    threshold = mean + SIGMAS * deviation
    verdict = Verdict.SPIKE if amount > threshold else Verdict.USUAL
    return Judgement(day, amount, sample, verdict, mean, deviation, threshold)


def mean_and_deviation(sample: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The mean of at least two values, and their standard deviation (n - 1) or its floor."""
    with localcontext(prec=_DIGITS):
        mean = sum(sample, Decimal(0)) / len(sample)
        variance = sum(((value - mean) ** 2 for value in sample), Decimal(0)) / (len(sample) - 1)
        deviation = max(variance.sqrt(), mean * MIN_SPREAD)
        return mean.quantize(_STORED), deviation.quantize(_STORED)


def _sample(spent: Mapping[date, Decimal], day: date) -> tuple[Decimal, ...]:
    before = [spent.get(day - ago, _NOTHING) for ago in _BEFORE]
    first = next((place for place, value in enumerate(before) if value), len(before))
    return tuple(before[first:])
