"""Setting prices and asking for a re-pricing. Times are typed in the project's zone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from costs.models import RATE_FIELDS, DatedPrice, Match, ModelPrice, PriceTier, Subject, ToolPrice
from costs.queries import Calls, Names
from costs.services import Repricing
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Window
from tracehouse.web.figures import plain_decimal

MOMENT = "%Y-%m-%dT%H:%M"
# Rates that, where they are not given, are those of input.
LIKE_INPUT = ("cache_read", "cache_write_5m", "cache_write_1h")


class MoneyInput(forms.TextInput):
    """A decimal without trailing zeros."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 10})

    def format_value(self, value: Any) -> str | None:
        return plain_decimal(value) if isinstance(value, Decimal) else super().format_value(value)


class MomentInput(forms.DateTimeInput):
    """A moment of the project's zone; seconds show where there are any."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"step": "any"})

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime):
            return value.strftime(f"{MOMENT}:%S" if value.second else MOMENT)
        return str(value) if value else None


def _offered(name: str) -> forms.TextInput:
    return forms.TextInput(attrs={"list": f"offers-{name}", "autocomplete": "off"})


class _PriceForm(forms.ModelForm[Any]):
    """A price of one project; every constraint of the table is checked, also those that name the project."""

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        price: DatedPrice = self.instance
        price.project = project

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's, unstubbed
        return excluded - {"project"}


class ModelPriceForm(_PriceForm):
    class Meta:
        model = ModelPrice
        fields = ["provider", "match", "model", "valid_from", "valid_until", *RATE_FIELDS, "per_request"]
        labels = {
            "match": "Model name",
            "model": "Name",
            "cache_write_5m": "Cache write, 5 min",
            "cache_write_1h": "Cache write, 1 h",
        }
        widgets = {
            "provider": _offered("provider"),
            "model": _offered("model"),
            "valid_from": MomentInput(),
            "valid_until": MomentInput(),
            **{name: MoneyInput() for name in (*RATE_FIELDS, "per_request")},
        }

    @property
    def rate_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in RATE_FIELDS]


class ToolPriceForm(_PriceForm):
    class Meta:
        model = ToolPrice
        fields = ["tool", "valid_from", "valid_until", "per_call", "per_second"]
        widgets = {
            "tool": _offered("tool"),
            "valid_from": MomentInput(),
            "valid_until": MomentInput(),
            "per_call": MoneyInput(),
            "per_second": MoneyInput(),
        }


class TierForm(forms.ModelForm[PriceTier]):
    """One row of tiers; a row that is left empty, or emptied, is none."""

    above_tokens = forms.IntegerField(label="Input longer than", min_value=1, required=False)

    class Meta:
        model = PriceTier
        fields = ["above_tokens", *RATE_FIELDS]
        labels = {"cache_write_5m": "Cache write, 5 min", "cache_write_1h": "Cache write, 1 h"}
        widgets = {name: MoneyInput() for name in RATE_FIELDS}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("above_tokens") is None and any(cleaned.get(name) is not None for name in RATE_FIELDS):
            self.add_error("above_tokens", "Say above how many tokens.")
        return cleaned

    def _post_clean(self) -> None:
        if not self.errors and not self.is_blank:
            super()._post_clean()  # type: ignore[misc]  # where a model form checks its row

    @property
    def is_blank(self) -> bool:
        return all(value is None for value in self.cleaned_data.values())


class BaseTierFormSet(forms.BaseFormSet[TierForm]):
    """The tiers of one price, checked against each other."""

    def clean(self) -> None:
        if any(self.errors):
            return
        thresholds = [tier.above_tokens for tier in self.tiers]
        if len(set(thresholds)) < len(thresholds):
            raise ValidationError("Two tiers begin at the same length.")

    @property
    def tiers(self) -> list[PriceTier]:
        return [form.instance for form in self.forms if not form.is_blank]

    def check(self, price: ModelPrice) -> bool:
        """Whether each rate of a tier has one below it; what has none is said in the row."""
        for form in self.forms:
            for name in RATE_FIELDS:
                below = (
                    price.input
                    if name in LIKE_INPUT and getattr(price, name) is None
                    else getattr(price, name)
                )
                if form.cleaned_data.get(name) is not None and below is None:
                    form.add_error(name, "Give the rate of shorter calls too.")
        return all(form.is_valid() for form in self.forms)


TierFormSet = forms.formset_factory(TierForm, formset=BaseTierFormSet, extra=1, max_num=6)


def tier_forms(price: ModelPrice, data: Mapping[str, Any] | None = None) -> BaseTierFormSet:
    kept = price.tiers.all() if price.pk else []
    initial = [{name: getattr(tier, name) for name in ("above_tokens", *RATE_FIELDS)} for tier in kept]
    return cast(BaseTierFormSet, TierFormSet(data, initial=initial, prefix="tiers"))


class RepricingForm(forms.Form):
    """Which calls to price again."""

    subject = forms.ChoiceField(
        choices=[(Subject.MODEL, "Calls of a model"), (Subject.TOOL, "Calls of a tool")], label="Price again"
    )
    match = forms.ChoiceField(choices=Match.choices, label="Whose name")
    name = forms.CharField(max_length=255, label="Name", widget=_offered("any"))
    provider = forms.CharField(
        max_length=255, required=False, label="Provider", help_text="Empty: any.", widget=_offered("provider")
    )
    start = forms.DateTimeField(label="Started at or after", widget=MomentInput())
    end = forms.DateTimeField(label="Started before", widget=MomentInput())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and start >= end:
            self.add_error("end", "The window ends before it begins.")
        return cleaned

    @property
    def asked(self) -> Repricing:
        given = self.cleaned_data
        is_tool = given["subject"] == Subject.TOOL
        calls = Calls(
            is_tool=is_tool,
            name=given["name"].strip(),
            is_prefix=given["match"] == Match.PREFIX,
            provider="" if is_tool else given["provider"].strip(),
        )
        return Repricing(calls, Window(given["start"], given["end"]))


def offers(names: Names) -> dict[str, Sequence[str]]:
    """What the inputs of these forms suggest, by the list that they name."""
    return {
        "model": names.models,
        "provider": names.providers,
        "tool": names.tools,
        "any": [*names.models, *names.tools],
    }
