"""A weekly report in words and tables: written once, drawn by the page, the HTML mail and the plain text. Pure.

What agents sent (ids, names) is text of strangers: it stands in one line, without characters that are not seen, and
the templates escape it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from costs import spikes
from costs.day_range import DayRange
from costs.report import Cause, Compared, GrownFeature, Loser, Spike, Used, WeeklyReport
from tracehouse.web import figures, time_range

MAX_TEXT = 60


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the project, and what its address asks for."""

    route: str
    pairs: Mapping[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    detail: str = ""  # a second, quieter line
    title: str = ""  # the exact figure
    tone: str = ""  # bad or warn
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its answer as a title. The first column says what or who, the others are figures."""

    name: str
    title: str
    said: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more: str = ""
    link: Link | None = None

    @property
    def lines(self) -> list[str]:
        """The table as plain text, its columns under each other."""
        if not self.rows:
            return []
        table = [self.columns, *(tuple(cell.text for cell in row) for row in self.rows)]
        widths = [max(len(row[place]) for row in table) for place in range(len(self.columns))]
        written = [_line(row, widths) for row in table]
        details = ["", *(row[0].detail for row in self.rows)]
        return [
            line for row, detail in zip(written, details, strict=True) for line in (row, *_indented(detail))
        ]


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: str
    before: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """Everything a reader gets to see of a report."""

    subject: str
    title: str
    period: str
    said: str
    warning: str  # what keeps the sums from being the whole of it
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    slug: str
    project: str


def write(found: WeeklyReport) -> Written:
    total = found.total
    return Written(
        subject=f"{clean(found.project)}: {_spent(found)} {_week(found)}{_moved(total, ', ')}",
        title=_capitalized(f"{_spent(found)} {_week(found)}{_moved(total, ', ')}"),
        period=_period(found),
        said=_said(found),
        warning=_warning(found),
        figures=_figures(found),
        sections=(
            _spenders(found),
            _growth(found),
            _spikes(found),
            _losers(found),
            *((_unpriced(found),) if found.unpriced_calls else ()),
        ),
        notes=tuple(_notes(found)),
        slug=found.slug,
        project=clean(found.project),
    )


def clean(text: str) -> str:
    """One line of characters that are seen, not too long to read."""
    seen = "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))
    return f"{seen[: MAX_TEXT - 1]}…" if len(seen) > MAX_TEXT else seen


def _spent(found: WeeklyReport) -> str:
    """Unpriced is not nothing: the sum is then a lower bound."""
    least = "at least " if found.unpriced_calls else ""
    return f"{least}{figures.money(found.total.now.cost)}"


def _week(found: WeeklyReport) -> str:
    day = _day(found.first_day)
    return f"in the week of {day}" if found.is_over else f"so far in the week of {day}"


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _moved(one: Compared, before: str) -> str:
    share = one.change_share
    if share is None or not one.change:
        return ""
    return f"{before}{'up' if share > 0 else 'down'} {figures.percent(float(abs(share)))}"


def _period(found: WeeklyReport) -> str:
    ends = f"{found.first_day:%A} {_day(found.first_day)} to {found.last_day:%A} {_day(found.last_day)}"
    years = f"{found.last_day:%Y}, days in {found.time_zone}"
    if found.is_over:
        return f"{ends} {years}"
    return f"{ends} {years}, until {_moment(found.until, found.time_zone)}"


def _said(found: WeeklyReport) -> str:
    """What the change is made of."""
    total, growth = found.total, found.growth
    if found.is_empty:
        return "Nothing was used in these two weeks."
    rival = "the week before" if found.is_over else "the same part of the week before"
    if not total.before.invocations:
        return f"Nothing was used in {rival}."
    if not total.change:
        return f"As much as {rival}."
    more = "more" if total.change > 0 else "less"
    return (
        f"{figures.money(abs(total.change))} {more} than {rival}: {_signed(growth.by_invocations)} from the number of"
        f" invocations, {_signed(growth.by_price)} from the price of one."
    )


def _warning(found: WeeklyReport) -> str:
    calls = found.unpriced_calls
    if not calls:
        return ""
    if calls == 1:
        return "1 call has no known price and is in no sum: what is told is what it cost at least."
    return f"{figures.count(calls)} calls have no known price and are in no sum: what is told is what it cost at least."


def _figures(found: WeeklyReport) -> tuple[Figure, ...]:
    now, before = found.total.now, found.total.before
    each = [
        ("Cost", figures.money(now.cost), figures.money(before.cost), figures.exact_money(now.cost)),
        ("Invocations", figures.count(now.invocations), figures.count(before.invocations), ""),
        (
            "Per invocation",
            figures.money(now.per_invocation),
            figures.money(before.per_invocation),
            figures.exact_money(now.per_invocation),
        ),
        ("Users", figures.count(found.users), figures.count(found.users_before), ""),
    ]
    return tuple(Figure(label, value, f"{was} before", title) for label, value, was, title in each)


def _spenders(found: WeeklyReport) -> Section:
    rows = tuple(
        (
            Cell(clean(one.key), _used(one.now), one.key, link=_traces(found, user_id=one.key)),
            _cost(one.now),
            Cell(figures.percent(_share(one.now.cost, found.total.now.cost))),
            _change(one),
        )
        for one in found.spenders
    )
    top = sum((one.now.cost for one in found.spenders), Decimal(0))
    share = figures.percent(_share(top, found.total.now.cost))
    return Section(
        name="spenders",
        title=f"The top {len(rows)} users cost {share} of all" if len(rows) > 1 else "Top spenders",
        said="" if rows else "No user with an id cost anything.",
        columns=("User", "Cost", "Of all", "Change"),
        rows=rows,
        link=Link("economics:list", _days(found), "All users"),
    )


def _growth(found: WeeklyReport) -> Section:
    rows = tuple(_grown(found, one) for one in found.features)
    left_out = found.features_grown - len(rows)
    return Section(
        name="features",
        title="Features that drove growth" if rows else "No feature cost more than the week before",
        said=(
            "Invocations: how many more there were, at the mean of both weeks’ price of one. Price: how much dearer one"
            " was, at the mean of both weeks’ number. The two add up to the growth."
            if rows
            else ""
        ),
        columns=("Feature", "Growth", "Invocations", "Price"),
        rows=rows,
        more=f"{figures.count(left_out)} more features cost more than before." if left_out else "",
        link=Link("economics:outcomes", _days(found), "All features"),
    )


_CAUSES = {
    Cause.NEW: "new this week",
    Cause.MORE: "more invocations",
    Cause.DEARER: "dearer invocations",
    Cause.BOTH: "more and dearer invocations",
}


def _grown(found: WeeklyReport, one: GrownFeature) -> tuple[Cell, ...]:
    name, now, before = one.feature.key, one.feature.now, one.feature.before
    was = (
        f" (was {figures.count(before.invocations)} at {figures.money(before.per_invocation)})"
        if before.invocations
        else ""
    )
    detail = f"{_CAUSES[one.cause]}: {figures.count(now.invocations)} at {figures.money(now.per_invocation)} each{was}"
    link = _traces(found, feature=name) if name else None
    return (
        Cell(clean(name) or "(no feature)", detail, name, link=link),
        _signed_cell(one.feature.change),
        _signed_cell(one.growth.by_invocations),
        _signed_cell(one.growth.by_price),
    )


def _spikes(found: WeeklyReport) -> Section:
    rows = tuple(_spike(found, one) for one in found.spikes)
    left_out = found.spike_count - len(rows)
    new = found.too_new
    unjudged = (
        f" {figures.count(new)} more {'day was' if new == 1 else 'days were'} too new to judge."
        if new
        else ""
    )
    rule = (
        f"Days that cost more than the mean of the {spikes.WINDOW_DAYS} days before by {spikes.SIGMAS} standard"
        f" deviations, and {figures.money(spikes.MIN_USD)} or more."
    )
    count = figures.count(found.spike_count)
    return Section(
        name="anomalies",
        title=f"{count} {'anomaly' if found.spike_count == 1 else 'anomalies'}" if rows else "No anomalies",
        said=f"{rule}{unjudged}",
        columns=("What", "Day", "Cost", "Expected"),
        rows=rows,
        more=f"{figures.count(left_out)} more anomalies." if left_out else "",
        link=Link("economics:anomalies", _days(found), "All anomalies"),
    )


def _spike(found: WeeklyReport, one: Spike) -> tuple[Cell, ...]:
    is_project = one.series == "project"
    what = "The whole project" if is_project else clean(one.key) or f"(no {one.series})"
    sort = "" if is_project else f"{one.series}, "
    names = {"user": "user_id", "feature": "feature"}
    narrowed = {names[one.series]: one.key} if one.key and one.series in names else {}
    link = Link("traces:list", {**_traced(one.day, one.day, found.time_zone), **narrowed, "order": "-cost"})
    return (
        Cell(what, f"{sort}{one.sigmas} σ above the mean", one.key, link=link),
        Cell(f"{one.day:%a} {_day(one.day)}"),
        Cell(figures.money(one.spent), title=figures.exact_money(one.spent), tone="bad"),
        Cell(figures.money(one.mean), title=figures.exact_money(one.mean)),
    )


def _losers(found: WeeklyReport) -> Section:
    margins = found.margins
    link = Link("economics:list", {**_days(found), "only": "under_water"}, "All who lose us money")
    columns = ("Customer", "Cost", "Pays", "Loses us")
    if not margins.plans:
        said = "Nobody has a plan, so nobody can say who costs more than they pay. Plans are set at Costs, Plans."
        plans = Link("economics:plans", label="Add plans")
        return Section("margins", "Margins are not known", said, columns, link=plans)
    if not margins.count:
        return Section("margins", "Nobody cost more than they pay", columns=columns, link=link)
    who = "1 customer cost" if margins.count == 1 else f"{figures.count(margins.count)} customers cost"
    left_out = margins.count - len(margins.losers)
    return Section(
        name="margins",
        title=f"{who} more than they pay, {figures.money(margins.lost)} in all",
        said="What a customer pays for these days is the monthly price by the share of the month.",
        columns=columns,
        rows=tuple(_loser(found, one) for one in margins.losers),
        more=f"{figures.count(left_out)} more." if left_out else "",
        link=link,
    )


def _loser(found: WeeklyReport, one: Loser) -> tuple[Cell, ...]:
    link = _traces(found, **{f"{one.payer}_id": one.key})
    return (
        Cell(clean(one.key), f"{one.payer}, {clean(one.plan) or 'plan without a name'}", one.key, link=link),
        _cost(Used(one.cost, 1, one.unpriced_calls)),
        Cell(figures.money(one.revenue), title=figures.exact_money(one.revenue)),
        Cell(figures.money(one.lost), title=figures.exact_money(one.lost), tone="bad"),
    )


def _unpriced(found: WeeklyReport) -> Section:
    rows = tuple(
        (Cell(clean(one.model) or "(no model)", title=one.model), Cell(figures.count(one.calls)))
        for one in found.unpriced_models
    )
    calls = found.unpriced_calls
    return Section(
        name="unpriced",
        title=f"{figures.count(calls)} unpriced call{'' if calls == 1 else 's'}",
        said="What they cost is not known, which is not zero. Set a price, then re-price what is stored.",
        columns=("Model", "Calls"),
        rows=rows,
        link=Link("prices:list", _traced(found.first_day, found.last_day, found.time_zone), "Set prices"),
    )


def _notes(found: WeeklyReport) -> list[str]:
    made = f"Made {_moment(found.made_at, found.time_zone)} from what had arrived by then."
    late = "Spans of these days that come later are not in it; make the report again to have them."
    rolled = (
        f"The hourly roll-up had reached {_moment(found.rolled_up_until, found.time_zone)}; what came since was read"
        " from the spans."
        if found.rolled_up_until
        else "The hourly roll-up had not run yet; everything was read from the spans."
    )
    notes = [f"{made} {late}", rolled]
    if found.told_before is not None:
        told, now = figures.money(found.told_before), figures.money(found.total.before.cost)
        notes.append(
            f"The report of the week before told {told}; with what came or was priced since, that week is {now}."
        )
    return notes


def _traces(found: WeeklyReport, **narrowed: str) -> Link:
    around = _traced(found.first_day, found.last_day, found.time_zone)
    return Link("traces:list", {**around, **narrowed, "order": "-cost"})


def _traced(first: date, last: date, zone: str) -> dict[str, str]:
    return DayRange(first, last, "", "").of_traces(time_range.zone_of(zone))


def _days(found: WeeklyReport) -> dict[str, str]:
    return DayRange(found.first_day, found.last_day, "", "").parameters


def _cost(used: Used) -> Cell:
    unpriced = " + unpriced" if used.unpriced_calls else ""
    exact = figures.exact_money(used.cost)
    return Cell(f"{figures.money(used.cost)}{unpriced}", title=exact, tone="warn" if unpriced else "")


def _change(one: Compared) -> Cell:
    if not one.before.invocations:
        return Cell("new")
    share = one.change_share
    if share is None:
        return _signed_cell(one.change)
    sign = "+" if share > 0 else "-" if share < 0 else ""
    return Cell(f"{sign}{figures.percent(float(abs(share)))}", title=_signed(one.change))


def _signed_cell(dollars: Decimal) -> Cell:
    return Cell(_signed(dollars), title=figures.exact_money(dollars))


def _signed(dollars: Decimal) -> str:
    return f"+{figures.money(dollars)}" if dollars > 0 else figures.money(dollars)


def _used(used: Used) -> str:
    return f"{figures.count(used.invocations)} invocation{'' if used.invocations == 1 else 's'}"


def _share(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole else None


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _moment(at: datetime, zone: str) -> str:
    local = at.astimezone(time_range.zone_of(zone))
    return f"{local.day} {local:%b %H:%M}"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    first, *others = (
        text.ljust(widths[0]) if not place else text.rjust(widths[place]) for place, text in enumerate(row)
    )
    return "  ".join([first, *others]).rstrip()


def _indented(detail: str) -> list[str]:
    return [f"    {detail}"] if detail else []
