"""The filters of the trace list: a GET form, the `TraceFilters` it means, and the sentence they read as."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django import forms

from tracehouse.web import figures
from traces.filters import Order, TraceFilters

STATUSES = (("", "Any status"), ("error", "Failed"), ("ok", "Ok"))
# Field -> the words before its value in the sentence; also the order of that sentence.
WORDS: Mapping[str, str] = {
    "status": "that",
    "name": "named",
    "environment": "in environment",
    "feature": "of feature",
    "user_id": "by user",
    "session_id": "in session",
    "organization_id": "of organization",
    "model": "using model",
    "tool": "calling tool",
    "min_latency_ms": "taking at least",
    "min_cost_usd": "costing at least",
    "q": "containing",
}
# Filters whose values are offered from those met in the window.
OFFERED = ("environment", "feature", "model", "tool", "name")


@dataclass(frozen=True, slots=True)
class Chip:
    field: str
    words: str
    value: str


def _text(label: str) -> forms.CharField:
    """An exact value, as a link from a cell carries it: blanks count, and ids may be long."""
    return forms.CharField(label=label, required=False, max_length=1_000, strip=False)


class TraceFilterForm(forms.Form):
    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "Search names, errors, inputs and outputs"}
        ),
    )
    status = forms.ChoiceField(choices=STATUSES, required=False)
    name = _text("Name")
    feature = _text("Feature")
    environment = _text("Environment")
    user_id = _text("User")
    session_id = _text("Session")
    organization_id = _text("Organization")
    model = _text("Model")
    tool = _text("Tool")
    min_latency_ms = forms.IntegerField(
        label="Latency at least, ms", required=False, min_value=0, max_value=10**9
    )
    min_cost_usd = forms.DecimalField(
        label="Cost at least, $", required=False, min_value=Decimal(0), max_value=Decimal(10**9)
    )

    def __init__(self, data: Mapping[str, str], offers: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.offers = {name: (offers or {}).get(name, []) for name in OFFERED}
        for name in OFFERED:
            self.fields[name].widget.attrs["list"] = f"offers-{name}"

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """The fields behind "More filters"."""
        return [field for field in self if field.name not in {"q", "status"}]

    @property
    def filters(self) -> TraceFilters:
        """The filters that could be read; what could not is in `errors`."""
        self.full_clean()
        return TraceFilters(
            **{name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        )

    @property
    def values(self) -> dict[str, str]:
        """The filters as they stand in an address."""
        filters = self.filters
        found = {name: getattr(filters, name) for name in WORDS}
        return {
            name: f"{value:f}" if isinstance(value, Decimal) else str(value)
            for name, value in found.items()
            if value not in ("", None)
        }

    @property
    def chips(self) -> list[Chip]:
        return [Chip(name, WORDS[name], _read(name, value)) for name, value in self.values.items()]


def order_of(parameters: Mapping[str, str]) -> Order:
    try:
        return Order(parameters.get("order", ""))
    except ValueError:
        return Order.NEWEST


def _read(name: str, value: str) -> str:
    if name == "status":
        return "failed" if value == "error" else "succeeded"
    if name == "min_latency_ms":
        return figures.duration(float(value))
    if name == "min_cost_usd":
        return figures.money(Decimal(value))
    return f"“{value}”" if name == "q" else value
