"""What the address of the unit economics page says. Links change one thing in it and keep the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from costs import day_range
from costs.day_range import DayRange
from costs.economics import Band, Filter, Order
from costs.models import Payer

PAGE = 50
MAX_WORDS = 200
DEFAULT_MARGIN = Decimal(70)


@dataclass(frozen=True, slots=True)
class MarginState:
    days: DayRange
    by: Payer
    only: Filter
    order: Order
    descending: bool
    words: str
    margin_percent: Decimal
    page: int  # from 1
    band: Band | None = None  # of cost, as a column of the histogram has it

    @property
    def pairs(self) -> dict[str, str]:
        """All of it but the place in the list, without what is the default."""
        given = {
            **self.days.parameters,
            "by": self.by.value,
            "only": self.only.value,
            "order": self.order_text,
            "q": self.words,
            "margin": f"{self.margin_percent:f}",
            **self.band_pairs,
        }
        return {name: value for name, value in given.items() if value != _DEFAULTS.get(name)}

    @property
    def band_pairs(self) -> dict[str, str]:
        if self.band is None:
            return {}
        ends = {"cost_from": self.band.low, "cost_below": self.band.high}
        return {name: f"{end:f}" for name, end in ends.items() if end is not None}

    @property
    def order_text(self) -> str:
        return f"{'-' if self.descending else ''}{self.order.value}"

    @property
    def margin(self) -> Decimal:
        return self.margin_percent / 100

    @property
    def narrows(self) -> bool:
        return self.only is not Filter.ALL or bool(self.words) or self.band is not None


_DEFAULTS = {
    "by": Payer.USER.value,
    "only": Filter.ALL.value,
    "order": f"-{Order.COST.value}",
    "q": "",
    "margin": f"{DEFAULT_MARGIN:f}",
}


def parse(parameters: Mapping[str, str], today: date) -> MarginState:
    """What cannot be read is the default."""
    order = parameters.get("order", "")
    by_known = order.removeprefix("-") in set(Order)
    return MarginState(
        days=day_range.parse(parameters, today),
        by=Payer(parameters["by"]) if parameters.get("by") in Payer.values else Payer.USER,
        only=Filter(parameters["only"]) if parameters.get("only") in set(Filter) else Filter.ALL,
        order=Order(order.removeprefix("-")) if by_known else Order.COST,
        descending=order.startswith("-") if by_known else True,
        words=parameters.get("q", "").strip()[:MAX_WORDS],
        margin_percent=_percent(parameters.get("margin", "")),
        page=_page(parameters.get("page", "")),
        band=_band(parameters),
    )


def _band(parameters: Mapping[str, str]) -> Band | None:
    low, high = _amount(parameters.get("cost_from", "")), _amount(parameters.get("cost_below", ""))
    return None if low is None and high is None else Band(low, high)


def _amount(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    # Further from zero no cost is, and an address would be filled with digits.
    return found if found.is_finite() and abs(found.adjusted()) < 13 and found >= 0 else None


def _percent(text: str) -> Decimal:
    try:
        found = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        return DEFAULT_MARGIN
    return found if found.is_finite() and 0 <= found < 100 and -found.adjusted() < 4 else DEFAULT_MARGIN


def _page(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 8 else 1
