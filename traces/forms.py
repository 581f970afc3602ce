"""The filters of the trace list: a GET form, the `TraceFilters` it means, and the sentence they read as."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django import forms

from tracehouse.web import figures
from traces import search
from traces.attribute import MAX_ITEMS, Attribute, joined, parse, split
from traces.filters import BELONGINGS, LACKS, Order, TraceFilters
from traces.score_filters import BadScoreCondition, ScoreCondition
from traces.score_filters import parse as parse_score

STATUSES = (("", "Any status"), ("error", "Failed"), ("ok", "Ok"))
FAILED_STEPS = (("", "Any"), ("true", "Some step failed"), ("false", "No step failed"))
# Field -> the words before its value in the sentence; also the order of that sentence.
WORDS: Mapping[str, str] = {
    "status": "that",
    "has_error": "in which",
    "name": "named",
    "environment": "in environment",
    "feature": "of feature",
    "user_id": "by user",
    "session_id": "in session",
    "organization_id": "of organization",
    "model": "using model",
    "tool": "calling tool",
    "prompt_name": "using prompt",
    "prompt_version": "of prompt version",
    "without": "without",
    "tags": "tagged",
    "attribute": "with attribute",
    "score": "with score",
    "min_latency_ms": "taking at least",
    "min_cost_usd": "costing at least",
    "q": "containing",
}
# Filters whose values are offered from those met in the window.
OFFERED = ("environment", "feature", "model", "tool", "name", "tags", "attribute")
SEARCH_HELP = (
    "Finds traces that contain every word, in any step, upper or lower case. "
    'Words in "double quotes" must follow each other; timeo* also finds parts of words, and words beside — or “.'
)

WITHOUT_HELP = (
    f"Traces that name no {', '.join(BELONGINGS)}; or of which some call names no model, tool, prompt_name."
)

SCORE_HELP = (
    "Traces of which a score meets one condition, such as quality>=0.5, feedback=down or helpful=true: of the trace, "
    "of any of its steps, or of its session."
)


@dataclass(frozen=True, slots=True)
class Chip:
    field: str
    words: str
    value: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A filter that could not be read, and so does not filter."""

    field: str
    label: str
    typed: str
    words: str  # what is wrong with it, and what to write


def _text(label: str) -> forms.CharField:
    """An exact value, as a link from a cell carries it: blanks count, and ids may be long."""
    return forms.CharField(label=label, required=False, max_length=1_000, strip=False)


class SearchField(forms.CharField):
    """Words, phrases and parts of words: something to look for, where there is anything."""

    def clean(self, value: str) -> str:
        text: str = super().clean(value)
        if text and not search.terms(text):
            raise forms.ValidationError(search.NOTHING_TO_FIND)
        return text


class ListField(forms.CharField):
    """Several values between commas; `\\,` is a comma within one."""

    def clean(self, value: str) -> tuple[str, ...]:
        found = split(super().clean(value) or "")
        if len(found) > MAX_ITEMS:
            raise forms.ValidationError(f"Give at most {MAX_ITEMS}.")
        return found


class WithoutField(ListField):
    """Several names of what traces may lack."""

    def clean(self, value: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(super().clean(value)))
        if not LACKS.keys() >= set(names):
            raise forms.ValidationError(f"Write any of {', '.join(LACKS)}.")
        return names


class AttributesField(ListField):
    """Several attributes, each `key:value` or `key`."""

    def clean(self, value: str) -> tuple[Attribute, ...]:  # type: ignore[override]  # what the items are read as
        return tuple(map(parse, super().clean(value)))


class ScoreField(forms.CharField):
    """A condition on a score, such as `quality>=0.5`."""

    def clean(self, value: str) -> ScoreCondition | None:
        text = super().clean(value)
        try:
            return parse_score(text) if text else None
        except BadScoreCondition as error:
            raise forms.ValidationError(str(error)) from error


class TraceFilterForm(forms.Form):
    q = SearchField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": "Words in prompts, responses and errors",
                "title": SEARCH_HELP,
            }
        ),
    )
    status = forms.ChoiceField(
        choices=STATUSES, required=False, error_messages={"invalid_choice": "Write error (for failed) or ok."}
    )
    name = _text("Name")
    feature = _text("Feature")
    environment = _text("Environment")
    user_id = _text("User")
    session_id = _text("Session")
    organization_id = _text("Organization")
    model = _text("Model")
    tool = _text("Tool")
    # The form's method of this name stays: its metaclass takes fields out of the class.
    has_error = forms.ChoiceField(  # type: ignore[assignment]
        label="Failed steps",
        choices=FAILED_STEPS,
        required=False,
        error_messages={"invalid_choice": "Write true (some step failed) or false (none did)."},
    )
    prompt_name = _text("Prompt")
    prompt_version = _text("Prompt version")
    without = WithoutField(
        label="Without",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs={"placeholder": "user_id, feature", "title": WITHOUT_HELP}),
    )
    tags = ListField(
        label="Tags",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs={"placeholder": "one, another"}),
    )
    attribute = AttributesField(
        label="Attributes",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(
            attrs={
                "placeholder": "key:value, key",
                "autocomplete": "off",
                # Relative to the list's own address, which holds the project.
                "hx-get": "traces/attributes",
                "hx-trigger": "input changed delay:200ms, focus once",
                "hx-include": "[name='range'], [name='from'], [name='to']",
                "hx-target": "#offers-attribute",
            }
        ),
    )
    score = ScoreField(
        label="Score",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "quality>=0.5", "title": SCORE_HELP}),
    )
    min_latency_ms = forms.IntegerField(
        label="Latency at least, ms", required=False, min_value=0, max_value=10**9
    )
    min_cost_usd = forms.DecimalField(
        label="Cost at least, $", required=False, min_value=Decimal(0), max_value=Decimal(10**9)
    )

    def __init__(self, data: Mapping[str, str], offers: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.offers = {name: (offers or {}).get(name, []) for name in OFFERED}
        self.offers["tags"] = [joined([tag]) for tag in self.offers["tags"]]
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
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "has_error" in given:
            given["has_error"] = given["has_error"] == "true"
        return TraceFilters(**given)

    @property
    def values(self) -> dict[str, str]:
        """The filters as they stand in an address."""
        filters = self.filters
        found = {name: getattr(filters, name) for name in WORDS}
        return {name: _written(value) for name, value in found.items() if value not in ("", None, ())}

    @property
    def problems(self) -> list[Problem]:
        return [
            Problem(
                name,
                str(self.fields[name].label or name.capitalize()),
                self.data[name],
                " ".join(map(str, errors)),
            )
            for name, errors in self.errors.items()
        ]

    @property
    def typed(self) -> dict[str, str]:
        """`values`, and what could not be read as typed: links keep it, so that each page they lead to says so."""
        return {**self.values, **{problem.field: problem.typed for problem in self.problems}}

    @property
    def chips(self) -> list[Chip]:
        return [Chip(name, WORDS[name], _read(name, value)) for name, value in self.values.items()]


def order_of(parameters: Mapping[str, str]) -> Order:
    try:
        return Order(parameters.get("order", ""))
    except ValueError:
        return Order.NEWEST


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return joined(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _read(name: str, value: str) -> str:
    if name == "status":
        return "failed" if value == "error" else "succeeded"
    if name == "has_error":
        return "some step failed" if value == "true" else "no step failed"
    if name == "min_latency_ms":
        return figures.duration(float(value))
    if name == "min_cost_usd":
        return figures.money(Decimal(value))
    return f"“{value}”" if name == "q" else value
