"""The attack report in a real browser: accessible, self-contained, readable on a narrow screen and by keyboard."""

from pathlib import Path

import pytest
from browsing import Watched, axe, browser  # noqa: F401
from test_attackreport import make_attack, maps_of

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
        assert watched.broken_rules(axe) == []


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
        assert watched.sticking_out() == []


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


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_headings_stand_below_the_bar_after_a_jump(browser, address: str, width: int) -> None:  # noqa: F811
    with Watched(browser, width) as watched:
        watched.page.goto(address)
        hidden = watched.page.evaluate(
            """() => [...document.querySelectorAll('nav a[href^="#"]')].filter(link => {
                location.hash = link.getAttribute('href')
                const bar = document.querySelector('.sa-private--bar').getBoundingClientRect()
                return document.querySelector(location.hash).getBoundingClientRect().top < bar.bottom
            }).map(link => link.hash)"""
        )
    assert hidden == []


def test_what_is_possible_is_in_view_on_a_narrow_screen(browser, address: str) -> None:  # noqa: F811
    with Watched(browser, 400) as watched:
        watched.page.goto(address)
        ends = watched.page.evaluate(
            "() => [...document.querySelectorAll('.sa-findings th:nth-child(2)')].map(one => one.getBoundingClientRect().right)"
        )
    assert ends and max(ends) <= 400
