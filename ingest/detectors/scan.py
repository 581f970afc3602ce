"""One pass of Hyperscan over the text wakes the checks that decide."""

from collections.abc import Iterable
from functools import cache, lru_cache
from operator import attrgetter

import hyperscan
import msgspec

from ingest.detectors import cards, credentials, emails, ibans, ips, keys, named, national_ids, phones
from ingest.detectors.edges import LONGEST_TAIL, pieces
from ingest.detectors.hit import ALL, Check, Detector, Hit, Trigger
from ingest.scanning import Patterns

_place = attrgetter("start")
_RANK = {detector: rank for rank, detector in enumerate(Detector)}
_FIXED = (
    *emails.TRIGGERS,
    *cards.TRIGGERS,
    *ips.TRIGGERS,
    *ibans.TRIGGERS,
    *national_ids.TRIGGERS,
    *keys.TRIGGERS,
    *credentials.TRIGGERS,
    *named.TRIGGERS,
    *phones.TRIGGERS,
)
_SHIFT = 10  # bits of a trigger's number in a firing
_NUMBER = (1 << _SHIFT) - 1


def find(text: bytes, regions: tuple[str, ...], detectors: frozenset[Detector] = ALL) -> list[Hit]:
    """The personal values in UTF-8 `text`, by position, none overlapping.

    `text` may be JSON: a value may stand right after an escape, and no hit covers a quote, a backslash or a
    control character.
    """
    if text[:1].isalnum():  # triggers may want to see a byte before a value
        return [_moved(hit, -1) for hit in find(b" " + text, regions, detectors)]
    scanner = _scanner(regions)
    wakes = scanner.wakes
    hits: list[Hit] = []
    start = end = rank = 0  # of the latest hit: what fires within it is looked at only if it may replace it
    for firing in scanner.firings(text):
        fired = firing >> _SHIFT
        for check, back, own_rank in wakes[firing & _NUMBER]:
            if start < fired <= end and rank <= own_rank:
                continue
            found = check(text, fired - back, regions)
            if found:
                hits += found
                start, end, rank = found[-1].start, found[-1].end, own_rank
    if detectors != ALL:
        hits = [hit for hit in hits if hit.detector in detectors]
    return _safe(text, _apart(hits))


def _safe(text: bytes, hits: list[Hit]) -> list[Hit]:
    """The hits without what keeps JSON valid, whatever a check took for part of a value.

    None begins or ends in an escape, or covers one or a quote. That most have none near is told of all at once.
    """
    if not hits or (hits[0].start >= LONGEST_TAIL and not _any_near(text, hits)):
        return hits
    return [piece for hit in hits for piece in _in_pieces(text, hit)]


def _any_near(text: bytes, hits: list[Hit]) -> bool:
    with_tails = b"".join([text[hit.start - LONGEST_TAIL : hit.end] for hit in hits])
    return b"\\" in with_tails or b'"' in b"".join([text[hit.start : hit.end] for hit in hits])


def _in_pieces(text: bytes, hit: Hit) -> list[Hit]:
    found = list(pieces(text, hit.start, hit.end))
    if found == [(hit.start, hit.end)]:
        return [hit]
    return [
        msgspec.structs.replace(hit, start=start, end=end, continues=hit.continues or number > 0)
        for number, (start, end) in enumerate(found)
    ]


def _moved(hit: Hit, by: int) -> Hit:
    return msgspec.structs.replace(hit, start=hit.start + by, end=hit.end + by)


def _apart(hits: list[Hit]) -> list[Hit]:
    """By position; where values overlap, the one of the first detector stays, the longer one of the same."""
    hits.sort(key=_place)
    apart: list[Hit] = []
    end = 0
    for hit in hits:
        if hit.start >= end:
            apart.append(hit)
            end = hit.end
        elif _beats(hit, apart[-1]):
            # It may stand over several that were taken before it.
            while apart and apart[-1].end > hit.start:
                apart.pop()
            apart.append(hit)
            end = hit.end
    return apart


def _beats(hit: Hit, other: Hit) -> bool:
    rank, others = _RANK[hit.detector], _RANK[other.detector]
    return rank < others or (rank == others and hit.end - hit.start > other.end - other.start)


class _Scanner:
    """Triggers and what Hyperscan made of them; `wakes` is what each pattern wakes, by its number."""

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        grouped: dict[tuple[bytes, bool], list[tuple[Check, int, int]]] = {}
        for trigger in sorted(triggers, key=_rank):
            wakes = grouped.setdefault((trigger.pattern, trigger.caseless), [])
            wakes.append((trigger.check, trigger.back, _rank(trigger)))
        self.wakes = tuple(map(tuple, grouped.values()))
        self._patterns = Patterns(
            [pattern for pattern, _ in grouped],
            [hyperscan.HS_FLAG_CASELESS if caseless else 0 for _, caseless in grouped],
        )

    def firings(self, text: bytes) -> list[int]:
        """Where triggers fired: the end and the number of the trigger in one integer, by position."""
        firings: list[int] = []
        append = firings.append

        def fired(number: int, start: int, end: int, flags: int, context: object) -> None:
            append(end << _SHIFT | number)

        self._patterns.scan(text, fired)
        return firings


def _rank(trigger: Trigger) -> int:
    return _RANK[trigger.detector]


@lru_cache(maxsize=1000)
def _scanner(regions: tuple[str, ...]) -> _Scanner:
    return _scanner_of(phones.spellings(regions))


@cache
def _scanner_of(spellings: frozenset[phones.Spelling]) -> _Scanner:
    national = (phones.NATIONAL_TRIGGERS[spelling] for spelling in phones.Spelling if spelling in spellings)
    return _Scanner((*_FIXED, *national))
