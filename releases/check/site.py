"""The pages: they are whole, lead nowhere that is not there, and ask no other machine for anything."""

import re
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from releases.check.notes import Notes

__all__ = ["check_site"]

# What a browser fetches by itself when it shows a page: (element, attribute).
FETCHED = {
    ("audio", "src"),
    ("embed", "src"),
    ("iframe", "src"),
    ("image", "href"),
    ("img", "src"),
    ("img", "srcset"),
    ("input", "src"),
    ("link", "href"),
    ("object", "data"),
    ("script", "src"),
    ("source", "src"),
    ("source", "srcset"),
    ("track", "src"),
    ("use", "href"),
    ("video", "poster"),
    ("video", "src"),
}
# Links that are read, not fetched.
TELLING = {"canonical", "license", "author", "help", "alternate"}
IN_STYLE = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


class _Page(HTMLParser):
    """What one page says of itself: language, title, ids, what it fetches and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.title = ""
        self.ids: set[str] = set()
        self.fetched: list[str] = []
        self.leads: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids, language and addresses of an element."""
        told = {name: value or "" for name, value in attrs}
        self._inside = tag
        if tag == "html":
            self.language = told.get("lang", "")
        if told.get("id"):
            self.ids.add(told["id"])
        self.fetched += _styled(told.get("style", ""))
        for name, value in told.items():
            attribute = name.removeprefix("xlink:")
            if (tag, attribute) in FETCHED:
                reading = tag == "link" and bool(TELLING & set(told.get("rel", "").lower().split()))
                places = (
                    [part.split()[0] for part in value.split(",") if part.split()] if attribute == "srcset" else [value]
                )
                (self.leads if reading else self.fetched).extend(places)
            elif (tag, attribute) in (("a", "href"), ("area", "href"), ("form", "action")):
                self.leads.append(value)

    def handle_data(self, data: str) -> None:
        """Note the title, and addresses in a page's own style sheet."""
        if self._inside == "title":
            self.title += data
        elif self._inside == "style":
            self.fetched += _styled(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave the element whose text was being read."""
        self._inside = ""


def _styled(text: str) -> list[str]:
    return [one or other for one, other in IN_STYLE.findall(text)]


def check_site(directory: Path, notes: Notes) -> None:
    """Check every page and style sheet of a release folder.

    index.html exists; each page has a title and the language en-GB (or en);
    whatever a browser fetches lies in the folder; each relative link resolves
    inside the folder, to a place on the page where it names one.
    """
    pages = {_name(path, directory): _read(path) for path in sorted(directory.rglob("*.html")) if path.is_file()}
    if "index.html" not in pages:
        notes.wrong("site", "index.html", "the site has no home page")
    for file, page in pages.items():
        if page.language not in ("en-GB", "en"):
            notes.wrong("site", file, "the page's language is not en-GB")
        if not page.title.strip():
            notes.wrong("site", file, "the page has no title")
        for address in page.fetched:
            _check_address(address, file, directory, pages, notes, fetched=True)
        for address in page.leads:
            _check_address(address, file, directory, pages, notes, fetched=False)
    for path in sorted(directory.rglob("*.css")):
        file = _name(path, directory)
        for address in _styled(path.read_text(encoding="utf-8", errors="replace")):
            _check_address(address, file, directory, pages, notes, fetched=True)
    notes.figure("pages", len(pages))
    notes.checked("site: home page, language, titles, links inside the folder, nothing fetched from elsewhere")


def _name(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix()


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8", errors="replace"))
    page.close()
    return page


def _check_address(
    address: str, file: str, directory: Path, pages: dict[str, _Page], notes: Notes, *, fetched: bool
) -> None:
    parts = urlsplit(address.strip())
    if parts.scheme == "data":
        return
    if parts.scheme or parts.netloc:
        if fetched or parts.scheme in ("file", "javascript"):
            notes.wrong("site", file, f"asks for {parts.scheme}://{parts.netloc}, outside the folder")
        return
    if parts.path.startswith("/"):
        notes.wrong("site", file, f"the address {parts.path} is not relative, so that it holds at one place alone")
        return
    target = _resolved(file, unquote(parts.path))
    if target is None:
        notes.wrong("site", file, f"the address {parts.path} leads out of the folder")
        return
    if (directory / target).is_dir():
        target = f"{target}/index.html".removeprefix("./").removeprefix("/")
    if not (directory / target).is_file():
        notes.wrong("site", file, f"the address {parts.path} leads to nothing")
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        notes.wrong("site", file, f"the address {address.strip()} names a place that is not on the page")


def _resolved(file: str, path: str) -> str | None:
    """A relative address as a path inside the folder; None where it leads out of it."""
    if not path:
        return file
    parts: list[str] = list(PurePosixPath(file).parent.parts)
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."
