"""Prices that people set, and the record of each re-pricing. Money is Decimal."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower

from costs.ranges import Hash, Period, Point

RATE_FIELDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def money(label: str, **options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(label, max_digits=24, decimal_places=12, null=True, blank=True, **options)


VALID = Period(F("valid_from"), F("valid_until"))
PROJECT = Point(Coalesce(F("project"), Value(0), output_field=models.BigIntegerField()))


def _not_negative(names: tuple[str, ...], prefix: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(
            condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0}),
            name=f"{prefix}_{name}_not_negative",
            violation_error_message="A price cannot be negative.",
        )
        for name in names
    ]


def _some(names: tuple[str, ...], name: str) -> models.CheckConstraint:
    given = Q()
    for field in names:
        given |= Q(**{f"{field}__isnull": False})
    return models.CheckConstraint(
        condition=given, name=name, violation_error_message="Give at least one price."
    )


def _in_order(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(valid_from__isnull=True)
        | Q(valid_until__isnull=True)
        | Q(valid_from__lt=F("valid_until")),
        name=name,
        violation_error_message="The price ends before it begins.",
    )


OVERLAP = (
    "Another price for the same thing holds at some of that time. End that one first, or choose other dates."
)


class Match(models.TextChoices):
    EXACT = "exact", "is exactly"
    PREFIX = "prefix", "begins with"


class DatedPrice(models.Model):
    """A price that holds at the start of a call within `[valid_from, valid_until)`."""

    project = models.ForeignKey(
        "tenancy.Project",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty: for every project of this installation that sets no price of its own.",
    )
    valid_from = models.DateTimeField("from", null=True, blank=True, help_text="Empty: since ever.")
    valid_until = models.DateTimeField(
        "until",
        null=True,
        blank=True,
        help_text="From this moment on it no longer holds. Empty: still holds.",
    )
    changed_by = models.CharField(max_length=254, editable=False, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        # Said before the constraints are tried: PostgreSQL cannot even compare a period that runs backwards.
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValidationError({"valid_until": "The price ends before it begins."})

    def holds_at(self, moment: datetime) -> bool:
        started = self.valid_from is None or self.valid_from <= moment
        return started and (self.valid_until is None or moment < self.valid_until)


class ModelPrice(DatedPrice):
    """What a model costs here, in place of the public price. US dollars per million tokens."""

    provider = models.CharField(
        max_length=100, blank=True, help_text="As spans name it. Empty: whoever the model is bought from."
    )
    match = models.CharField(max_length=6, choices=Match.choices, default=Match.EXACT)
    model = models.CharField(max_length=255)
    input = money("input")
    output = money("output")
    cache_read = money("cache read", help_text="Empty: as input.")
    cache_write_5m = money("cache write, 5 minutes", help_text="Empty: as input.")
    cache_write_1h = money("cache write, 1 hour", help_text="Empty: as for 5 minutes.")
    per_request = money("per request", help_text="US dollars a call, on top of its tokens.")

    class Meta:
        ordering = ["model", "provider", "-valid_from", "pk"]
        constraints = [
            *_not_negative((*RATE_FIELDS, "per_request"), "model_price"),
            _some((*RATE_FIELDS, "per_request"), "model_price_says_a_price"),
            _in_order("model_price_ends_after_it_begins"),
            ExclusionConstraint(
                name="model_price_no_overlap",
                expressions=[
                    (PROJECT, "&&"),
                    (Point(Hash(Lower("provider"))), "&&"),
                    (Point(Hash(Lower("model"))), "&&"),
                    (Point(Hash(F("match"))), "&&"),
                    (VALID, "&&"),
                ],
                violation_error_message=OVERLAP,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model}*" if self.match == Match.PREFIX else self.model


class PriceTier(models.Model):
    """Other rates for all tokens of a call whose input is longer than `above_tokens`. Empty: the rate below it."""

    price = models.ForeignKey(ModelPrice, on_delete=models.CASCADE, related_name="tiers")
    above_tokens = models.PositiveBigIntegerField("input longer than")
    input = money("input")
    output = money("output")
    cache_read = money("cache read")
    cache_write_5m = money("cache write, 5 minutes")
    cache_write_1h = money("cache write, 1 hour")

    class Meta:
        ordering = ["above_tokens"]
        constraints = [
            *_not_negative(RATE_FIELDS, "price_tier"),
            _some(RATE_FIELDS, "price_tier_says_a_price"),
            models.UniqueConstraint(
                fields=["price", "above_tokens"],
                name="price_tier_one_a_threshold",
                violation_error_message="There is a tier from this length on already.",
            ),
        ]

    def __str__(self) -> str:
        return f"above {self.above_tokens:,} tokens"


class ToolPrice(DatedPrice):
    """What a tool costs. US dollars a call, and a second that the call takes."""

    tool = models.CharField(max_length=255)
    per_call = money("per call")
    per_second = money("per second", help_text="Of the time that the call takes.")

    class Meta:
        ordering = ["tool", "-valid_from", "pk"]
        constraints = [
            *_not_negative(("per_call", "per_second"), "tool_price"),
            _some(("per_call", "per_second"), "tool_price_says_a_price"),
            _in_order("tool_price_ends_after_it_begins"),
            ExclusionConstraint(
                name="tool_price_no_overlap",
                expressions=[(PROJECT, "&&"), (Point(Hash(F("tool"))), "&&"), (VALID, "&&")],
                violation_error_message=OVERLAP,
            ),
        ]

    def __str__(self) -> str:
        return self.tool


class Subject(models.TextChoices):
    MODEL = "model"
    TOOL = "tool"


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RepricingRun(models.Model):
    """Who asked to price stored calls again, which, and what it changed; also where it is, so that it can go on.

    A dry run counts and writes nothing. Costs are sums over all calls looked at, an unpriced call adding nothing.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=5, choices=Subject.choices, default=Subject.MODEL)
    provider = models.CharField(max_length=255, blank=True)
    match = models.CharField(max_length=6, choices=Match.choices, default=Match.EXACT)
    name = models.CharField(max_length=255)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    dry = models.BooleanField(default=False)

    state = models.CharField(max_length=7, choices=RunState.choices, default=RunState.QUEUED)
    problem = models.CharField(max_length=200, blank=True)
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)
    alive_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    calls_looked_at = models.PositiveBigIntegerField(default=0)
    calls_changed = models.PositiveBigIntegerField(default=0)
    calls_unpriced_before = models.PositiveBigIntegerField(default=0)
    calls_unpriced_after = models.PositiveBigIntegerField(default=0)
    cost_before = models.DecimalField(max_digits=38, decimal_places=12, default=Decimal(0))
    cost_after = models.DecimalField(max_digits=38, decimal_places=12, default=Decimal(0))

    # All calls before these are done: the start of a day or of the window, and the last call of a page within it.
    done_until = models.DateTimeField()
    last_trace = models.CharField(max_length=32, blank=True)
    last_span = models.CharField(max_length=16, blank=True)
    # The last call of a page that is counted, but perhaps not written yet.
    counted_trace = models.CharField(max_length=32, blank=True)
    counted_span = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["project", "-asked_at"])]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} {self.label}"

    @property
    def label(self) -> str:
        return f"{self.name}*" if self.match == Match.PREFIX else self.name

    @property
    def finished(self) -> bool:
        return self.state in {RunState.DONE, RunState.FAILED}

    @property
    def known_before(self) -> Decimal | None:
        """None while every call was unpriced, which is not the same as free."""
        return None if 0 < self.calls_looked_at == self.calls_unpriced_before else self.cost_before

    @property
    def known_after(self) -> Decimal | None:
        return None if 0 < self.calls_looked_at == self.calls_unpriced_after else self.cost_after

    @property
    def cost_change(self) -> Decimal:
        return self.cost_after - self.cost_before
