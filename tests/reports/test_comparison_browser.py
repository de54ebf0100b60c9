"""The comparison page in a real browser: accessible, self-contained, readable on a narrow screen and by keyboard."""

from pathlib import Path

import pytest
from test_browser import Watched, axe, browser  # noqa: F401
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
        watched.page.add_script_tag(path=str(axe))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = watched.page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)
    assert result["passes"], "axe has run"
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in result["violations"]] == []


def test_nothing_else_is_asked_for_and_nothing_goes_wrong(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address)
    assert [url for url in watched.requests if url != address and not url.startswith("data:")] == []
    assert watched.faults == []


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_scrolls_sideways_but_labelled_regions(browser, address: str, width: int) -> None:  # noqa: F811
    with Watched(browser, width) as watched:
        watched.page.goto(address)
        assert watched.page.evaluate("() => document.documentElement.scrollWidth") <= width
        outside = watched.page.evaluate(
            """() => [...document.querySelectorAll('main *')].filter(e =>
                !e.closest('[role=region], .govuk-visually-hidden')
                && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert outside == []


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
