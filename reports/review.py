"""The reviewer's pack: one page and CSV files that let somebody say no.  Private: it holds true counts.

The caller makes the folder (mode 0700) and sees to it that nothing of it is
ever served.  The page needs no other file to be read.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.progress import SILENT, Progress
from reports.attackreportmaps import ExposureMap, exposure_maps
from reports.attackreportsection import attack_section, finding_rows, mend_row, not_listed
from reports.beforebeside import standing_rows, write_before_beside
from reports.model import Boundary, ReleaseFacts, ReportTable
from reports.pages import assets_path, fill_page
from reports.plaintables import plain_table
from reports.statements import words
from reports.truebeside import changes_table, rules_table, sample_table, write_true_beside
from sdc.findings import Audit
from sdc.mends.trying import Mend
from sdc.rounding.kept import Earlier
from sdc.tables import Table
from sdc.utility.rows import ALL_CELLS

__all__ = ["InputFile", "ReviewFacts", "look_first", "verdict", "write_review"]

# A bucket that points at the input and holds more than this share of the rows read is put before the reviewer.
TELLING_SHARE = 0.01
INNOCENT_BUCKETS = ("counted", "not live on the date", "erased")
ROWS_OF_BELIEFS = 40
FILE_MODE = 0o600


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file that went in: plain SHA-256 (hexadecimal) and size in bytes; `rows` where it has rows."""

    name: str
    purpose: str
    sha256: str
    size: int
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewFacts:
    """Everything that a reviewer is shown.

    Attributes
    ----------
    release, tables : as the public pages have them.
    true : the true table behind each of `tables`, in the same order.
    audit : what the attack on the published tables found.
    buckets : how many input rows ended in each bucket, in order; `rows_read` is what they must add up to.
    people_buckets : the same of people, where people are counted beside claims; else empty.
    flow_buckets : the same by flow, where flows are counted beside the caseload.
    spec_text : the release file as it was read.
    inputs : fingerprints of all input files.
    making : how the figures were made (path taken, redraws, key id), by name.
    posterior, utility : tables of plain values, a mapping per row, all rows with the same keys.
    highest_posterior : the largest posterior probability of the likeliest value of any small count; None if not judged.
    max_certainty : what `highest_posterior` must not pass.
    exceptions : rule, reason, owner and expires of each exception asked for.
    notices : what the pipeline had to say.
    earlier : by table id, the release before, where values of it were kept.
    flips : what flips of shown values since then prove, a mapping per row, all rows with the same keys.
    mends : what was tried to be done about findings.
    boundaries : of area levels, for the maps of exposed areas; without them there are none.
    misfits : where rows of the extract stand that did not fit, a mapping per row, all rows with the same keys.

    Raises
    ------
    ValueError
        `true` and `tables` do not belong together.
    """

    release: ReleaseFacts
    tables: tuple[ReportTable, ...]
    true: tuple[Table, ...]
    audit: Audit
    buckets: Mapping[str, int]
    rows_read: int
    spec_text: str
    inputs: tuple[InputFile, ...]
    making: Mapping[str, object] = field(default_factory=dict)
    posterior: tuple[Mapping[str, object], ...] = ()
    highest_posterior: float | None = None
    max_certainty: float = 0.9
    utility: tuple[Mapping[str, object], ...] = ()
    exceptions: tuple[Mapping[str, object], ...] = ()
    notices: tuple[str, ...] = ()
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    flips: tuple[Mapping[str, object], ...] = ()
    people_buckets: Mapping[str, int] = field(default_factory=dict)
    flow_buckets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mends: tuple[Mend, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    misfits: tuple[Mapping[str, object], ...] = ()

    def __post_init__(self) -> None:
        if len(self.true) != len(self.tables):
            raise ValueError("true tables must be one for each published table")
        for table, true in zip(self.tables, self.true, strict=True):
            safe = table.safe
            if [a.shape for a in true.counts] != [a.shape for a in safe.values] or (
                true.classification != safe.classification
            ):
                raise ValueError(f"the true table of ({table.id}) must have the cells of the published one")


def write_review(folder: Path, facts: ReviewFacts, *, progress: Progress = SILENT) -> tuple[Path, ...]:
    """Write ``review.html`` and the CSV files into `folder`, each file with mode 0600; the paths written."""
    written = [_write_csv(folder / name, rows) for name, rows in _small_files(facts).items()]
    for table, true in zip(facts.tables, facts.true, strict=True):
        progress.step(f"writing true beside published, {table.id}")
        path = folder / f"true-beside-published-{table.id}.csv"
        write_true_beside(path, table, true)
        written.append(path)
        if table.id in facts.earlier:
            path = folder / f"before-beside-{table.id}.csv"
            write_before_beside(path, table, true, facts.earlier[table.id])
            written.append(path)
    maps = _maps(facts)
    written += [
        _write_bytes(folder / f"exposed-{one.level}.{end}", data) for one in maps for end, data in _pictures(one)
    ]
    page = folder / "review.html"
    page.write_text(fill_page("review.html", **_page_values(facts, written, maps)), encoding="utf-8", newline="\n")
    for path in (*written, page):
        path.chmod(FILE_MODE)
    return (*written, page)


def verdict(facts: ReviewFacts) -> str:
    """``safe``, ``excepted`` (findings, but exceptions were asked for) or ``unsafe``."""
    if facts.audit.safe:
        return "safe"
    return "excepted" if facts.exceptions else "unsafe"


def look_first(facts: ReviewFacts) -> tuple[str, ...]:
    """What to look at first, gravest first, in sentences; one sentence says so where nothing stands out."""
    told, audit = words("pages")["review"]["first"], facts.audit
    unsafe = sum(finding.severity in ("disclosure", "contradiction") for finding in audit.findings)
    warnings = sum(finding.severity == "warning" for finding in audit.findings)
    lost = {
        name: count
        for name, count in facts.buckets.items()
        if name not in INNOCENT_BUCKETS and count > TELLING_SHARE * facts.rows_read
    }
    sentences = []
    if unsafe:
        sentences.append(told["unsafe"].format(count=unsafe))
    if not _buckets_add_up(facts):
        sentences.append(told["buckets"])
    if facts.highest_posterior is not None and facts.highest_posterior > facts.max_certainty:
        probability, limit = f"{facts.highest_posterior:.3f}", f"{facts.max_certainty:g}"
        sentences.append(told["certainty"].format(probability=probability, limit=limit))
    sentences += [told["weak"].format(**one) for one in _beyond_bound(facts)]
    if facts.exceptions:
        sentences.append(told["exceptions"].format(count=len(facts.exceptions)))
    if warnings:
        sentences.append(told["warnings"].format(count=warnings))
    if audit.not_checked:
        sentences.append(told["not_checked"].format(count=len(audit.not_checked)))
    if lost:
        names = ", ".join(f"{name} {count:,}" for name, count in lost.items())
        share = f"{100 * sum(lost.values()) / facts.rows_read:.1f}%"
        rows = f"{facts.rows_read:,}"
        sentences.append(told["lost"].format(count=f"{sum(lost.values()):,}", rows=rows, share=share, names=names))
    if facts.notices:
        sentences.append(told["notices"].format(count=len(facts.notices)))
    return tuple(sentences) or (told["nothing"],)


def _buckets_add_up(facts: ReviewFacts) -> bool:
    told = [facts.buckets, *([facts.people_buckets] if facts.people_buckets else []), *facts.flow_buckets.values()]
    return all(sum(buckets.values()) == facts.rows_read for buckets in told)


def _beyond_bound(facts: ReviewFacts) -> list[dict[str, object]]:
    """Tables in which a shown value differs from its true count by the base or more."""
    found = []
    for table, true in zip(facts.tables, facts.true, strict=True):
        method = table.safe.method
        if method.name == "exact":
            continue
        largest = max(
            int(abs((values - counts)[markers == 0]).max(initial=0))
            for values, counts, markers in zip(table.safe.values, true.counts, table.safe.markers, strict=True)
        )
        if largest >= method.base:
            found.append({"table": table.id, "difference": largest})
    return found


def _page_values(facts: ReviewFacts, files: Sequence[Path], maps: Sequence[ExposureMap]) -> dict[str, Any]:
    told = words("pages")["review"]
    tables = list(zip(facts.tables, facts.true, strict=True))
    return {
        "facts": facts,
        "release": facts.release,
        "css": assets_path("site.css").read_text(encoding="utf-8"),
        "verdict": verdict(facts),
        "verdict_told": told["verdict"][verdict(facts)],
        "status": words("metadata")["status"][facts.release.status],
        "first": look_first(facts),
        "inputs": plain_table("inputs", told["caption"]["inputs"], [_input_row(one) for one in facts.inputs]),
        "making": plain_table("making", told["caption"]["making"], _pairs(facts.making)),
        "buckets": plain_table(
            "buckets",
            told["caption"]["claims_buckets" if facts.people_buckets else "buckets"],
            _bucket_rows(facts.buckets, facts.rows_read),
            ("share",),
        ),
        "people_buckets": plain_table(
            "people-buckets",
            told["caption"]["people_buckets"],
            _bucket_rows(facts.people_buckets, facts.rows_read) if facts.people_buckets else [],
            ("share",),
        ),
        "flow_buckets": [
            plain_table(
                f"{flow}-buckets",
                told["caption"]["flow_buckets"].format(flow=flow),
                _bucket_rows(buckets, facts.rows_read),
                ("share",),
            )
            for flow, buckets in facts.flow_buckets.items()
        ],
        "buckets_add_up": _buckets_add_up(facts),
        "rules": plain_table("rules", told["caption"]["rules"], [row for one in tables for row in rules_table(*one)]),
        "attack": attack_section(facts.audit, mends=facts.mends, maps=maps),
        "posterior": plain_table("posterior", told["caption"]["posterior"], _surest(facts.posterior)),
        "utility": plain_table("utility", told["caption"]["utility"], _pooled(facts.utility)),
        "standings": plain_table("standings", told["caption"]["standings"], _standings(facts)),
        "flips": plain_table("flips", told["caption"]["flips"], facts.flips),
        "exceptions": plain_table("exceptions", told["caption"]["exceptions"], facts.exceptions),
        "comparisons": [_comparison(table, true) for table, true in tables],
        "files": [path.name for path in files],
    }


def _comparison(table: ReportTable, true: Table) -> dict[str, Any]:
    told, figures = words("pages")["review"]["caption"], ("published", "difference")
    changes, sample = changes_table(table, true), sample_table(table, true)
    return {
        "title": table.title,
        "file": f"true-beside-published-{table.id}.csv",
        "changes": plain_table(f"changes-{table.id}", told["changes"].format(title=table.title), changes, figures),
        "sample": plain_table(f"sample-{table.id}", told["sample"].format(title=table.title), sample, figures),
    }


def _maps(facts: ReviewFacts) -> tuple[ExposureMap, ...]:
    """Maps of the areas with findings; all tables of a release stand over one tree of areas."""
    if not facts.boundaries or not facts.tables:
        return ()
    return exposure_maps(
        facts.audit,
        facts.tables[0].safe.hierarchy,
        facts.boundaries,
        title=facts.release.title,
        level_names=facts.release.level_names,
        area_names=facts.release.area_names,
        tables=[table.id for table in facts.tables],
        unlisted=not_listed(facts.audit),
    )


def _pictures(one: ExposureMap) -> tuple[tuple[str, bytes], ...]:
    return ("png", one.png), ("svg", one.svg)


def _write_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _small_files(facts: ReviewFacts) -> dict[str, Iterable[Mapping[str, object]]]:
    files: dict[str, Sequence[Mapping[str, object]]] = {
        "buckets.csv": [{"bucket": name, "rows": count} for name, count in facts.buckets.items()],
        "buckets-people.csv": [{"bucket": name, "rows": count} for name, count in facts.people_buckets.items()],
        **{
            f"buckets-{flow}.csv": [{"bucket": name, "rows": count} for name, count in buckets.items()]
            for flow, buckets in facts.flow_buckets.items()
        },
        "flips.csv": facts.flips,
        "findings.csv": finding_rows(facts.audit),
        "mends.csv": [mend_row(mend) for mend in facts.mends],
        "inputs.csv": [_input_row(one) for one in facts.inputs],
        "posterior.csv": facts.posterior,
        "rows-that-did-not-fit.csv": facts.misfits,
        "rules.csv": [row for pair in zip(facts.tables, facts.true, strict=True) for row in rules_table(*pair)],
        "standings.csv": _standings(facts),
        "utility.csv": facts.utility,
    }
    return {name: rows for name, rows in files.items() if rows}


def _standings(facts: ReviewFacts) -> list[dict[str, object]]:
    return [
        row
        for table, true in zip(facts.tables, facts.true, strict=True)
        if table.id in facts.earlier
        for row in standing_rows(table, true, facts.earlier[table.id])
    ]


def _write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
    return path


def _input_row(one: InputFile) -> dict[str, object]:
    return {"file": one.name, "purpose": one.purpose, "sha256": one.sha256, "rows": one.rows, "bytes": one.size}


def _bucket_rows(buckets: Mapping[str, int], rows_read: int) -> list[dict[str, object]]:
    rows = [(name, count) for name, count in buckets.items()]
    rows.append((words("pages")["review"]["sum"], sum(buckets.values())))
    share = max(rows_read, 1)
    return [{"bucket": name, "rows": count, "share": f"{100 * count / share:.2f}%"} for name, count in rows]


def _pairs(values: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"what": name, "value": value} for name, value in values.items()]


def _surest(rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The beliefs that are surest that a count is small: the page shows these, the CSV file all."""
    return sorted(rows, key=lambda row: -float(str(row.get("small_probability", 0))))[:ROWS_OF_BELIEFS]


def _pooled(rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Utility over all categories of a level, and of the whole table: the CSV file has every category."""
    pooled = [row for row in rows if row.get("category") == ALL_CELLS]
    return pooled or list(rows)
