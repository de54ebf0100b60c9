"""The comparison page in a real browser: accessible, self-contained, readable on a narrow screen and by keyboard."""

from pathlib import Path

import pytest
from browsing import Watched, axe, browser  # noqa: F401
from test_comparison import make_comparison

from reports.comparisonpage import comparison_page


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("compare") / "compare.html"
    path.write_text(comparison_page(make_comparison()), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(browser, axe: Path, address: str, width: int) -> None:  # noqa: F811
    with Watched(browser, width) as watched:
        watched.page.goto(address)
        assert watched.broken_rules(axe) == []


def test_nothing_else_is_asked_for_and_nothing_goes_wrong(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address)
    assert [url for url in watched.requests if url != address and not url.startswith("data:")] == []
    assert watched.faults == []


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_scrolls_sideways_but_labelled_regions(browser, address: str, width: int) -> None:  # noqa: F811
    with Watched(browser, width) as watched:
        watched.page.goto(address)
        assert watched.sticking_out() == []


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_text_in_charts_stays_in_its_picture_and_is_large_enough(browser, address: str, width: int) -> None:  # noqa: F811
    with Watched(browser, width) as watched:
        watched.page.goto(address)
        texts = watched.page.evaluate(
            """() => [...document.querySelectorAll('svg.sa-chart')].flatMap(picture => {
                const frame = picture.getBoundingClientRect()
                return [...picture.querySelectorAll('text')].map(text => {
                    const box = text.getBoundingClientRect()
                    return [text.textContent, box.height, box.left >= frame.left - 1 && box.right <= frame.right + 1
                        && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1]
                })
            })"""
        )
    assert texts and [text for text, height, inside in texts if not inside or height < 10] == []


def test_links_of_the_page_lead_somewhere(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address)
        lost = watched.page.evaluate(
            """() => [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
                .filter(id => !document.getElementById(id))"""
        )
    assert lost == []
