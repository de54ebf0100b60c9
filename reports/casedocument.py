"""The case document of a request for data: a draft for those who decide, as HTML or Markdown.

The two say the same.  What a requester wrote is escaped in both, so that no part of a
request can change how the document reads.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.pages import assets_path, fill_page
from reports.statements import TEMPLATES, long_date, words
from reports.tablepages import DataTable, Row

__all__ = ["CaseDocument", "CaseField", "CaseStep", "case_as_html", "case_as_markdown"]

# Signs that mean something in Markdown, wherever they stand.
MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")
# What would begin a list or a rule.
LINE_HEAD = re.compile(r"^(\d*)([-+=.)])")


@dataclass(frozen=True, kw_only=True)
class CaseField:
    """A requested field: `does` is the form that would do, blank where none does."""

    label: str
    name: str
    asked: str
    does: str
    proportionate: bool
    reason: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseStep:
    """One of the steps, and why the request stands there or does not."""

    name: str
    about: str
    serves: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseDocument:
    """Everything the document says; `step` is blank where no step serves the request and is open to it."""

    title: str
    date: dt.date
    step: str
    nearest: str
    organisation: str
    purpose: str
    question: str
    people: str
    areas: str
    first_date: dt.date
    last_date: dt.date
    keep_months: int
    steps: tuple[CaseStep, ...]
    fields: tuple[CaseField, ...]
    beyond: tuple[tuple[str, str], ...]
    approvals: tuple[str, ...]
    agreements: tuple[str, ...]
    minimum: tuple[str, ...]
    safeguards: tuple[str, ...]
    policy: str
    example: bool
    software: str

    @property
    def verdict(self) -> str:
        """Where the request stands, in a sentence."""
        told = words("request")["verdict"]
        return str(told["placed" if self.step else "nowhere"]).format(step=self.step, nearest=self.nearest)

    @property
    def too_much(self) -> str:
        """How much of it is disproportionate, in a sentence."""
        told = words("request")["too_much"]
        many = sum(not one.proportionate for one in self.fields)
        return str(told["none" if not many else "one" if many == 1 else "many"]).format(many=many, of=len(self.fields))

    @property
    def needs(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the step needs, each kind with its heading, in the order of the template's words."""
        return tuple((str(heading), getattr(self, name)) for name, heading in words("request")["needs"].items())


def case_as_html(case: CaseDocument) -> str:
    """The document as one page that needs no other file."""
    return fill_page(
        "request.html",
        case=case,
        words=words("request"),
        css=assets_path("site.css").read_text(encoding="utf-8"),
        fields=_field_table(case),
        steps=_step_table(case),
        facts=case_facts(case),
    )


def case_as_markdown(case: CaseDocument) -> str:
    """The document as Markdown, with tables as GitHub and Pandoc read them."""
    text = _markdown().get_template("request.md").render(case=case, words=words("request"), facts=case_facts(case))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def case_facts(case: CaseDocument) -> list[tuple[str, str]]:
    """The request in short: what, and what was said."""
    told = words("request")["fact"]
    return [
        (told["organisation"], case.organisation),
        (told["purpose"], case.purpose),
        (told["question"], case.question),
        (told["people"], case.people),
        (told["areas"], case.areas),
        (told["dates"], f"{long_date(case.first_date)} to {long_date(case.last_date)}"),
        (told["keep"], f"{case.keep_months} months"),
    ]


def _field_table(case: CaseDocument) -> DataTable:
    told = words("request")["field"]
    heads = tuple(told[name] for name in ("field", "asked", "why", "judged", "does"))
    rows = [
        Row(
            head=f"{one.label} ({one.name})",
            about=(one.asked, one.why or told["no_reason"], told["yes" if one.proportionate else "no"], _does(one)),
            cells=(),
        )
        for one in case.fields
    ]
    return DataTable(id="fields", caption=told["caption"], row_heads=heads, columns=(), rows=tuple(rows))


def _does(one: CaseField) -> str:
    return one.reason[:1].upper() + one.reason[1:]


def _step_table(case: CaseDocument) -> DataTable:
    told = words("request")["step"]
    rows = [
        Row(head=f"{at}. {one.name}", about=(one.about, one.reason[:1].upper() + one.reason[1:]), cells=())
        for at, one in enumerate(case.steps, start=1)
    ]
    heads = (told["step"], told["about"], told["reason"])
    return DataTable(id="steps", caption=told["caption"], row_heads=heads, columns=(), rows=tuple(rows))


@cache
def _markdown() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        finalize=_plain_in_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(long_date=long_date)
    return environment


def _plain_in_markdown(value: object) -> object:
    """Text on one line that reads in Markdown as it stands."""
    text = " ".join(str(value).split())
    return LINE_HEAD.sub(r"\1\\\2", MARKS.sub(r"\\\1", text))
