"""A real browser for tests of pages, and what is asked of every page in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from needs import program

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    executable = program("chromium", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def axe() -> Path:
    if not AXE.is_file():
        reason = "axe-core is missing: .venv/bin/npm ci --ignore-scripts"
        if os.environ.get("SMALLAREA_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE


class Watched:
    """A page that notes every request, console error and fault."""

    def __init__(self, browser, width: int = 1280) -> None:
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on(
            "console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda request: self.faults.append(request.url))

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def broken_rules(self, axe: Path) -> list[tuple[str, str, list[str]]]:
        """What axe finds wrong on the page: rule, what it asks, and the first places."""
        self.page.add_script_tag(path=str(axe))
        result = self.page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", RULES)
        assert result["passes"], "axe has run"
        return [
            (one["id"], one["help"], [node["html"][:120] for node in one["nodes"][:3]]) for one in result["violations"]
        ]

    def sticking_out(self) -> list[str]:
        """What reaches beyond the screen, labelled regions aside; the page itself where it scrolls sideways."""
        found: list[str] = self.page.evaluate(
            """() => [
                ...(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []),
                ...[...document.querySelectorAll('main *')].filter(e =>
                    !e.closest('[role=region], .govuk-visually-hidden')
                    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))]"""
        )
        return found
