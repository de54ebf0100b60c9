"""The pages in a real browser: accessible, self-contained, quiet, usable by keyboard and on a narrow screen."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Watched, axe, browser  # noqa: F401
from derivedsamples import derived_table
from pagescene import make_scene
from test_review import make_facts

from reports.maps import write_maps
from reports.review import write_review
from reports.site import find_downloads, write_site

PAGES = (
    "index.html",
    "tables.html",
    "tables/benefit.html",
    "tables/age-sex.html",
    "tables/rate.html",
    "maps.html",
    "methods.html",
    "downloads.html",
    "review/review.html",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A site with a review pack in a folder of it: for these tests alone, never so in a release."""
    folder = tmp_path_factory.mktemp("pages")
    scene = make_scene(areas=40, suppressed=True)
    (folder / "tables").mkdir()
    for table in scene.tables:
        for ending in ("csv", "ods", "xlsx", "parquet"):
            (folder / "tables" / f"{table.id}.{ending}").write_bytes(b"x" * 1234)
    (folder / "manifest.json").write_text("{}")
    maps = write_maps(scene.facts, scene.tables, scene.boundaries, folder / "maps")
    downloads = find_downloads(folder, scene.tables)
    derived = (derived_table(scene.tables[0].safe),)
    write_site(folder, scene.facts, scene.tables, derived=derived, maps=maps, downloads=downloads, row_limit=20)
    (folder / "review").mkdir()
    write_review(folder / "review", make_facts(boundaries=make_scene(areas=60).boundaries))
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The site behind a plain static server on this machine."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("place", PAGES)
def test_axe_finds_nothing(browser, axe: Path, address: str, place: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address + place)
        assert watched.broken_rules(axe) == []


@pytest.mark.parametrize("scheme", ["server", "file"])
@pytest.mark.parametrize("place", PAGES)
def test_nothing_but_own_files_is_asked_for_and_nothing_goes_wrong(
    browser,  # noqa: F811
    address: str,
    folder: Path,
    scheme: str,
    place: str,
) -> None:
    start = address if scheme == "server" else folder.as_uri() + "/"
    with Watched(browser) as watched:
        watched.page.goto(start + place)
    assert [url for url in watched.requests if not url.startswith((start, "data:"))] == []
    assert watched.faults == []


@pytest.mark.parametrize("place", PAGES)
def test_the_keyboard_alone_reaches_every_link_and_every_table(browser, address: str, place: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        page = watched.page
        page.goto(address + place)
        wanted = page.evaluate(
            """() => {
                const shown = e => e.checkVisibility({visibilityProperty: true})
                const all = [...document.querySelectorAll('a[href], button, [tabindex="0"]')].filter(shown)
                all.forEach((e, i) => e.setAttribute('data-stop', i))
                return all.length
            }"""
        )
        reached = []
        for _ in range(wanted):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("() => document.activeElement.getAttribute('data-stop')"))
        assert reached == [str(stop) for stop in range(wanted)], "in the order in which they stand"
        tables = page.evaluate(
            "() => [...document.querySelectorAll('table')].filter(t => t.scrollWidth > innerWidth).length"
        )
        scrolled = page.evaluate(
            "() => [...document.querySelectorAll('[role=region][tabindex=\"0\"][aria-labelledby]')]"
            ".every(e => document.getElementById(e.getAttribute('aria-labelledby')).textContent.trim())"
        )
        assert scrolled and (tables == 0 or place.startswith(("tables/", "review/")))


def test_the_skip_link_comes_first_and_skips(browser, address: str) -> None:  # noqa: F811
    with Watched(browser) as watched:
        watched.page.goto(address + "index.html")
        watched.page.keyboard.press("Tab")
        assert watched.page.evaluate("() => document.activeElement.textContent.trim()") == "Skip to main content"
        watched.page.keyboard.press("Enter")
        assert watched.page.url.endswith("#main-content")


@pytest.mark.parametrize("place", PAGES)
def test_a_narrow_screen_never_scrolls_sideways_but_in_labelled_regions(browser, address: str, place: str) -> None:  # noqa: F811
    with Watched(browser, 320) as watched:
        page = watched.page
        page.goto(address + place)
        for width in (320, 640):
            page.set_viewport_size({"width": width, "height": 900})
            assert watched.sticking_out() == []


def test_text_at_twice_its_size_still_fits(browser, address: str) -> None:  # noqa: F811
    with Watched(browser, 640) as watched:
        watched.page.goto(address + "index.html")
        watched.page.add_style_tag(content="html { font-size: 200% }")
        assert watched.page.evaluate("() => document.documentElement.scrollWidth") <= 640


def test_the_menu_folds_on_a_narrow_screen_and_opens_by_keyboard(browser, address: str) -> None:  # noqa: F811
    with Watched(browser, 320) as watched:
        page = watched.page
        page.goto(address + "index.html")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.getAttribute('aria-expanded')") == "false"
        page.keyboard.press("Enter")
        assert page.is_visible("text=Methods >> nth=0")


def test_pages_work_without_scripts(browser, address: str) -> None:  # noqa: F811
    page = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 900}).new_page()
    page.goto(address + "index.html")
    assert page.is_visible("nav a:has-text('Downloads')")
    page.close()
