"""The attack report in a real browser: accessible, self-contained, readable on a narrow screen and by keyboard."""

from pathlib import Path

import pytest
from test_attackreport import make_attack, maps_of
from test_browser import Watched, axe, browser  # noqa: F401

from reports.attackreport import attack_report_page


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("attack") / "attack.html"
    facts = make_attack(maps=maps_of(make_attack().audit), notices=("nobody says min_count; judged by 5",))
    path.write_text(attack_report_page(facts), encoding="utf-8")
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


def test_nothing_else_is_asked_for_and_pictures_stand(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address)
        widths = watched.page.evaluate("() => [...document.images].map(one => one.naturalWidth)")
    assert [url for url in watched.requests if url != address and not url.startswith("data:")] == []
    assert watched.faults == [] and len(widths) == 2 and min(widths) > 1000


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


def test_links_of_the_page_lead_somewhere_and_ids_are_its_own(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address)
        lost, twice = watched.page.evaluate(
            """() => {
                const ids = [...document.querySelectorAll('[id]')].map(e => e.id)
                const links = [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
                return [links.filter(id => !ids.includes(id)), ids.filter((id, at) => ids.indexOf(id) !== at)]
            }"""
        )
    assert lost == [] and twice == []
