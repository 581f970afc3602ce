"""What charts need beside their drawing, and the library that draws them."""

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tracehouse.web.plot import MAX_NAME, Place, Plot, Series, short

VENDOR = Path(settings.BASE_DIR) / "static/vendor"
LIBRARY = "plotly-basic-4.1.1/plotly-basic.min.js"


def plot(*places: Place, zoom: str = "/costs") -> Plot:
    return Plot(places, [Series("series-0", [50.0] * len(places))], gap=0.2, zoom=zoom)


def test_a_stretch_of_time_is_chosen_among_several() -> None:
    hour = Place(["0:00"], "/traces", "2026-03-01", "2026-03-01")
    day = Place(["Mon 2 Mar"], "/traces", "2026-03-02", "2026-03-02")
    assert plot(hour, hour).data["ranges"] == []
    assert plot(hour, day, zoom="").data["ranges"] == []
    assert plot(hour, day).data["ranges"] == [["2026-03-01"] * 2, ["2026-03-02"] * 2]


def test_a_long_name_is_cut() -> None:
    assert short("x" * MAX_NAME) == "x" * MAX_NAME
    assert short("x" * 99) == "x" * (MAX_NAME - 1) + "…"


@pytest.mark.django_db  # the end of an answer looks after the database
def test_the_library_is_compressed_as_it_is_and_kept_by_browsers() -> None:
    whole = (VENDOR / LIBRARY).read_bytes()
    assert gzip.decompress((VENDOR / f"{LIBRARY}.gz").read_bytes()) == whole
    answer = Client().get(f"/static/vendor/{LIBRARY}", headers={"accept-encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    answer.close()
