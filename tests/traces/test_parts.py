"""Parts that a panel of a page asks for: when what they are of is gone, they are still parts, not whole pages."""

import pytest
from django.test import Client

from tracehouse.tenancy.models import Project, User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.usefixtures("clickhouse"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]
GONE, ALSO_GONE = f"{0xBAD:032x}", f"{0xBADD:032x}"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"traces/{GONE}?span={1:016x}", "step"),
        (f"compare?a={GONE}&b={ALSO_GONE}&sa={1:016x}", "pair"),
    ],
)
def test_the_panel_of_a_trace_that_is_gone_says_so_without_a_page_around(
    client: Client, project: Project, viewer: User, path: str, target: str
) -> None:
    client.force_login(viewer)
    whole = client.get(f"/p/{project.slug}/{path}")
    part = client.get(f"/p/{project.slug}/{path}", headers={"HX-Request": "true", "HX-Target": target})
    assert (whole.status_code, part.status_code) == (404, 404)
    assert "<nav" in whole.content.decode()
    said = part.content.decode()
    assert "This project has no such trace" in said
    assert GONE in said
    for outer in ("<html", "<nav", "<main", "topbar"):
        assert outer not in said
