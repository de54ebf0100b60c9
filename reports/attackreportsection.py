"""The section that tells an attack, in the review pack and in the attack report alike.

It starts with the verdict; then come findings by severity and kind with their
witnesses, how intervals were found, what was checked, what was not and why, and which mends were tried.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.attackreportmaps import ExposureMap
from reports.plaintables import as_text, plain_table
from reports.statements import words
from reports.tablepages import DataTable, Row
from sdc.findings import SEVERITIES, Audit, Finding
from sdc.mends.trying import Mend

__all__ = [
    "AttackSection",
    "FindingGroup",
    "MapOnPage",
    "attack_section",
    "attack_verdict",
    "finding_rows",
    "interval_text",
    "mend_row",
    "not_listed",
]

# Findings of one kind that the page shows.
FINDINGS_OF_A_KIND = 20
# Tables of which the same is said and that are named; more are counted.
TABLES_NAMED = 2
NOT_LISTED = ", not listed"
PATH = ": path"
ASKED = ": cells asked"


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """Findings of one severity and kind: how many there are in all, and a table of the first."""

    id: str
    heading: str
    meaning: str
    number: int
    more: str
    table: DataTable


@dataclass(frozen=True, kw_only=True)
class MapOnPage:
    """A map of exposed areas within a page: its picture as a data address, and the table that says the same."""

    heading: str
    alt: str
    address: str
    table: DataTable


@dataclass(frozen=True, kw_only=True)
class AttackSection:
    """What ``attack.html`` shows; see the module."""

    verdict: str
    safe: bool
    groups: tuple[FindingGroup, ...]
    maps: tuple[MapOnPage, ...]
    paths: DataTable | None
    figures: DataTable | None
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    mends_told: str
    passing: tuple[str, ...]
    failing: tuple[str, ...]
    loss: DataTable | None


def attack_section(audit: Audit, *, mends: Sequence[Mend] = (), maps: Sequence[ExposureMap] = ()) -> AttackSection:
    """The section of an audit, the mends that were tried for it, and the maps of its exposed areas."""
    told = words("attack")
    passing = tuple(mend.full for mend in mends if mend.passes)
    state = "none" if not mends else "some" if passing else "fail"
    paths, taken = _paths(audit)
    rows = _figure_rows({name: value for name, value in audit.figures.items() if name not in taken})
    return AttackSection(
        verdict=attack_verdict(audit),
        safe=audit.safe,
        groups=_groups(audit),
        maps=tuple(_on_page(one) for one in maps),
        paths=paths,
        figures=plain_table("attack-figures", told["figures"]["caption"], rows),
        checked=audit.checked,
        not_checked=audit.not_checked,
        mends_told="" if audit.safe else str(told["mends"][state]),
        passing=passing,
        failing=tuple(mend.sentence for mend in mends if not mend.passes),
        loss=_loss_table(mends),
    )


def attack_verdict(audit: Audit) -> str:
    """The verdict in one sentence, with how many findings of which kind it rests on."""
    told = words("attack")["verdict"]
    if audit.safe:
        warnings = sum(finding.severity == "warning" for finding in audit.findings)
        return str(told["warnings"].format(count=f"{warnings:,}") if warnings else told["safe"])
    gravest = next(s for s in SEVERITIES if any(finding.severity == s for finding in audit.findings))
    numbers = _numbers(audit, [f for f in audit.findings if f.severity in ("disclosure", "contradiction")])
    kinds = ", ".join(told["kind"].format(kind=kind, count=f"{number:,}") for kind, number in numbers.items())
    if len(numbers) > 1:
        kinds = told["several"].format(count=f"{sum(numbers.values()):,}", kinds=kinds)
    return str(told[gravest].format(kinds=kinds))


def not_listed(audit: Audit) -> int:
    """How many findings are counted and not listed."""
    return sum(_whole(value) for name, value in audit.figures.items() if name.endswith(NOT_LISTED))


def interval_text(interval: tuple[int, int | None] | None) -> str:
    """A feasibility interval in words; nothing where a finding has none."""
    if interval is None:
        return ""
    told, (lo, hi) = words("attack")["interval"], interval
    if hi is None:
        return str(told["open"].format(lo=f"{lo:,}"))
    return str(told["exact" if lo == hi else "closed"].format(lo=f"{lo:,}", hi=f"{hi:,}"))


def _numbers(audit: Audit, findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings there are of each kind, gravest first, those that are not listed among them."""
    kinds = sorted({finding.kind for finding in findings}, key=_gravity)
    return {kind: sum(one.kind == kind for one in findings) + _unlisted(audit, kind) for kind in kinds}


def _unlisted(audit: Audit, kind: str) -> int:
    """How many of a kind are not listed; a kind may be told with a reason behind a comma."""
    number = 0
    for name, value in audit.figures.items():
        told = name.removesuffix(NOT_LISTED).rpartition(": ")[2]
        if name.endswith(NOT_LISTED) and (told == kind or told.startswith(f"{kind}, ")):
            number += _whole(value)
    return number


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _gravity(kind: str) -> tuple[int, str]:
    order = list(words("attack")["kind"])
    return order.index(kind) if kind in order else len(order), kind


def _groups(audit: Audit) -> tuple[FindingGroup, ...]:
    groups = []
    for severity in SEVERITIES:
        findings = [finding for finding in audit.findings if finding.severity == severity]
        for kind, number in _numbers(audit, findings).items():
            ours = [finding for finding in findings if finding.kind == kind]
            groups.append(_group(severity, kind, number, ours))
    return tuple(groups)


def _group(severity: str, kind: str, number: int, findings: Sequence[Finding]) -> FindingGroup:
    told = words("attack")
    listed = findings[:FINDINGS_OF_A_KIND]
    left = number - len(listed)
    heads = told["findings"]
    identity = f"findings-{severity}-{'-'.join(kind.split())}"
    return FindingGroup(
        id=identity,
        heading=str(
            heads["heading_alike" if kind == severity else "heading"].format(
                kind=kind[:1].upper() + kind[1:], severity=told["severity"][severity]
            )
        ),
        meaning=str(told["kind"].get(kind, "")),
        number=number,
        more=str(heads["more"].format(count=f"{left:,}")) if left else "",
        table=DataTable(
            id=f"{identity}-table",
            caption=str(heads["caption"].format(kind=kind, count=f"{number:,}")),
            row_heads=tuple(heads[name] for name in ("cell", "interval", "table", "witness")),
            columns=(),
            rows=tuple(
                Row(
                    head=one.cell or heads["no_cell"],
                    about=(interval_text(one.interval), one.table, one.witness),
                    cells=(),
                )
                for one in listed
            ),
        ),
    )


def _figure_rows(figures: Mapping[str, object]) -> list[dict[str, str]]:
    """What was counted and its value; what is the same of several tables is said once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for name, value in figures.items():
        table, _, what = name.rpartition(": ")
        text = as_text(
            [as_text(part).removeprefix(f"{table}: ") for part in value] if isinstance(value, list) else value
        )
        alike.setdefault((what, text), []).append(table)
    return [
        {"what": ": ".join(part for part in (_tables_named(tables), what) if part), "value": text}
        for (what, text), tables in alike.items()
    ]


def _tables_named(tables: Sequence[str]) -> str:
    """A few tables by their names, many by the first and the last of them and their number."""
    if len(tables) <= TABLES_NAMED:
        return "; ".join(tables)
    return f"{tables[0]} … {tables[-1]} ({len(tables):,})"


def _paths(audit: Audit) -> tuple[DataTable | None, set[str]]:
    """How intervals were found, table by table, and the figures that say so."""
    told = words("attack")["path"]
    rows: list[tuple[str, str, str]] = []
    taken: set[str] = set()
    names = [name for name in audit.figures if name.endswith((ASKED, PATH))]
    for table in dict.fromkeys(name.removesuffix(ASKED).removesuffix(PATH) for name in names):
        asked = audit.figures.get(f"{table}{ASKED}")
        path = audit.figures.get(f"{table}{PATH}")
        if path is not None:
            taken |= {f"{table}{PATH}", f"{table}{ASKED}"}
            rows.append(
                (table, str(told["way"].get(str(path), path)), told["all"] if asked is None else as_text(asked))
            )
            continue
        taken |= {f"{table}: {way}" for way in told["way"]} | {f"{table}{ASKED}"}
        numbers = {way: _whole(audit.figures.get(f"{table}: {way}")) for way in told["way"]}
        rows += [(table, told["way"][way], as_text(number)) for way, number in numbers.items() if number]
    if not rows:
        return None, set()
    return DataTable(
        id="attack-paths",
        caption=told["caption"],
        row_heads=(told["table"], told["how"]),
        columns=(told["cells"],),
        rows=tuple(
            Row(head=_tables_named(tables), about=(way,), cells=(number,))
            for (way, number), tables in _tables_of([((way, number), name) for name, way, number in rows]).items()
        ),
    ), taken


def _tables_of(rows: Sequence[tuple[tuple[str, str], str]]) -> dict[tuple[str, str], list[str]]:
    """The tables of which the same is said, in the order of the first."""
    alike: dict[tuple[str, str], list[str]] = {}
    for said, table in rows:
        alike.setdefault(said, []).append(table)
    return alike


def _loss_table(mends: Sequence[Mend]) -> DataTable | None:
    """What each mend that passes costs, a row per level."""
    told = words("attack")["loss"]
    rows = [
        Row(
            head=mend.kind,
            about=(one.level,),
            cells=(f"{one.cells:,}", f"{one.hidden:,}", *(_error(error) for error in (one.error_before, one.error))),
        )
        for mend in mends
        for one in mend.loss
    ]
    if not rows:
        return None
    return DataTable(
        id="attack-loss",
        caption=told["caption"],
        row_heads=(told["mend"], told["level"]),
        columns=tuple(told[name] for name in ("cells", "hidden", "error_before", "error")),
        rows=tuple(rows),
    )


def _error(error: float | None) -> str:
    return str(words("attack")["loss"]["none"]) if error is None else f"{error:,.3g}"


def _on_page(one: ExposureMap) -> MapOnPage:
    address = "data:image/png;base64," + base64.b64encode(one.png).decode("ascii")
    return MapOnPage(heading=one.title, alt=one.alt, address=address, table=one.table)


def finding_rows(audit: Audit) -> list[Mapping[str, object]]:
    """Findings for a CSV file: the interval as two columns."""
    rows: list[Mapping[str, object]] = []
    for finding in audit.findings:
        lo, hi = finding.interval or (None, None)
        rest = {key: value for key, value in finding.as_dict().items() if key != "interval"}
        rows.append({**rest, "lo": lo, "hi": hi})
    return rows


def mend_row(mend: Mend) -> Mapping[str, object]:
    """A mend for a CSV file."""
    return {
        "kind": mend.kind,
        "passes": mend.passes,
        "what": "; ".join(mend.what),
        "sentence": mend.full,
        "attacks": mend.tried,
    }
