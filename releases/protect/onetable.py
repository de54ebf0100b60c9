"""One table of counts in, one safe table out.

Reads the counts, applies the method, attacks the result where asked, and writes
the table, its metadata and, where asked, a private report: all or nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.counts.countsoptions import CountsOptions, Nest
from releases.counts.intable import Counted, read_counts
from releases.files.wholefiles import Writing, check_targets, write_whole
from releases.outcome import Outcome, Refused
from releases.protect.audited import Beside, audit_protected, audit_protected_cells, known_besides, read_beside
from releases.protect.cubes import protect_cube
from releases.protect.methods import METHODS, Asked, check_settings, protect_by
from releases.protect.privatereport import cube_report, protect_report
from releases.rules.methodoptions import check_method_options
from releases.rules.profiles import find_profile
from releases.software import software_name
from reports.longcells import write_long_cells
from reports.longform import write_long
from reports.metadata import BLOCK, cube_block, json_text, metadata_block, metadata_path
from sdc.cellkey.design import PTableSpec
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.margins import cube_of_crossing
from sdc.profiles import Profile, settle
from sdc.promises import PROMISE_SENTENCES, strongest_promise
from sdc.rules.settings import ROUNDINGS, Settings

__all__ = ["ProtectOptions", "protect"]

DEFAULT_METHOD, DEFAULT_BASE, DEFAULT_MIN_COUNT = "controlled-rounding", 5, 5
ENDINGS = (".csv", ".parquet")
# Lists of the private report that stand on one line.
PRIVATE_LISTS = ("codes", "columns", "true", "published", "marker", "status", "lo", "hi")


@dataclass(frozen=True, kw_only=True)
class ProtectOptions(CountsOptions):
    """The options of ``protect``.

    Attributes
    ----------
    out : the safe table to write, CSV or Parquet by its ending.
    method : where None, the profile's, else controlled rounding.
    report : where to write the private report; attack : write nothing that fails the attack.
    """

    method: str | None = None
    report: Path | None = None
    attack: bool = False


def protect(options: ProtectOptions, *, progress: Progress = SILENT) -> Outcome:
    """Protect one table of counts.

    Raises
    ------
    InputError
        The input or the options are wrong, or a file cannot be written; every fault that could be found.
    Infeasible
        The method has no solution under what was asked.
    Refused
        The attack found a disclosure; nothing was written but the private report.
    """
    nest, further, settings, profile = _check_options(options)
    check_settings(settings, options.method_options)
    progress.step("reading counts")
    counted = read_counts(options.spec(nest, further, record_keys=settings.method == "cell-key"))
    cube = cube_of_crossing(counted.table, counted.nests) if options.several_margins else None
    beside = read_beside(
        counted.table if cube is None else cube,
        options.out,
        options.already_public,
        options.known,
        nest=nest,
        count=options.count,
    )
    asked = Asked(
        table=counted.table,
        settings=settings,
        name=options.out.stem,
        options=options.method_options,
        bands=profile.bands if profile else (),
        key_file=options.key_file,
        keys=counted.keys,
        sensitive=options.sensitive,
        known=None if cube is not None else beside.known(counted.table),
        alone=not options.already_public,
        progress=progress,
    )
    promised = _promised(profile, settings) if profile else ()
    if cube is not None:
        return _protect_cube(options, counted, cube, asked, beside, promised)
    protected = protect_by(asked)
    audit = None
    if options.attack or options.already_public:
        audit = audit_protected(
            protected,
            counted.table,
            beside,
            min_count=settings.min_count,
            sensitive=options.sensitive,
            progress=progress,
        )
    notices = (
        *counted.notices,
        *beside.notices,
        *protected.notices,
        *promised,
    )
    block = metadata_block(protected.safe, file=options.out.name, software=software_name())
    refused = audit is not None and not audit.safe
    private = protect_report(
        source=options.counts.name,
        out=None if refused else options.out.name,
        true=counted.table,
        known=known_besides(protected, beside.public),
        protected=protected,
        audit=audit,
    )
    return _write(options, lambda path: write_long(protected.safe, path), block, private, audit, notices, progress)


def _protect_cube(
    options: ProtectOptions, counted: Counted, cube: Cube, asked: Asked, beside: Beside, promised: tuple[str, ...]
) -> Outcome:
    """Every margin of several dimensions: no network, see `releases.protect.cubes`."""
    protected = protect_cube(cube, asked)
    attacked = options.attack or options.already_public
    audit = audit_protected_cells(cube, protected, asked, beside) if attacked else None
    block = cube_block(cube, protected.cells, file=options.out.name, software=software_name())
    refused = audit is not None and not audit.safe
    private = cube_report(
        source=options.counts.name,
        out=None if refused else options.out.name,
        cube=cube,
        protected=protected,
        audit=audit,
    )
    notices = (*counted.notices, *beside.notices, *protected.notices, *promised)

    def write(path: Path) -> None:
        write_long_cells(cube, protected.cells, path)

    return _write(options, write, block, private, audit, notices, asked.progress)


def _promised(profile: Profile, settings: Settings) -> tuple[str, ...]:
    """What the user of a profile must know: its caveats, and what its settings can promise where that is not everything."""
    kept = strongest_promise(settings, profile.bands)
    if kept == "full":
        return profile.caveats
    said = PROMISE_SENTENCES[kept] if kept else "nothing is promised: a figure by itself may give a small count away"
    return (f"profile {profile.name} as asked promises less than everything: {said}", *profile.caveats)


# --- Options --------------------------------------------------------------------------------------


def _check_options(options: ProtectOptions) -> tuple[Nest, tuple[Nest, ...], Settings, Profile | None]:
    """Refuse what cannot be honoured, with every fault; returns the nest of areas, the others, the settings and their profile."""
    faults = Faults()
    nest, further = options.parsed_nests(faults)
    settings, profile = _settings(options, faults)
    asked = options.method or (None if options.profile else DEFAULT_METHOD)
    check_method_options(options.method_options, asked, nest, faults)
    options.check_dimensions(profile, faults)
    if options.out.suffix.lower() not in ENDINGS:
        found = f"the ending '{options.out.suffix}' is not known"
        faults.add("ending", found, "name a file that ends in .csv or .parquet", file=str(options.out), key="--out")
    try:
        check_targets(_targets(options), options.inputs)
    except InputError as error:
        faults.extend(error)
    faults.raise_if_any()
    return nest, further, settings, profile


def _settings(options: ProtectOptions, faults: Faults) -> tuple[Settings, Profile | None]:
    """The settings to work by; where they cannot be had the faults say so and what is returned means nothing."""
    _check_method(options, faults)
    try:
        if options.profile is not None:
            profile = find_profile(options.profile)
            asked = settle(profile, method=options.method, base=options.base, min_count=options.min_count)
            if asked.method not in METHODS:
                faults.add("method", f"{asked.method} is not in this version", _choice(), key="--profile")
            return asked, profile
        return _own_settings(options), None
    except InputError as error:
        faults.extend(error)
    except ValueError:
        # Told by _check_method already.
        pass
    return Settings(), None


def _own_settings(options: ProtectOptions) -> Settings:
    method = options.method or DEFAULT_METHOD
    noisy = method == "cell-key"
    return Settings(
        method=method,
        base=1 if method not in ROUNDINGS else DEFAULT_BASE if options.base is None else options.base,
        min_count=DEFAULT_MIN_COUNT if options.min_count is None else options.min_count,
        max_noise=(options.method_options.noise_bound or PTableSpec.bound) if noisy else None,
        variance=options.method_options.noise_variance if noisy else None,
    )


def _choice() -> str:
    return f"use one of {', '.join(METHODS)}"


def _check_method(options: ProtectOptions, faults: Faults) -> None:
    if options.method is not None and options.method not in METHODS:
        faults.add("method", f"'{options.method}' is not known", _choice(), key="--method")
    options.check_limits(faults)


def _targets(options: ProtectOptions) -> dict[str, Path]:
    targets = {"--out": options.out, "the metadata of --out": metadata_path(options.out)}
    return targets if options.report is None else {**targets, "--report": options.report}


# --- Writing --------------------------------------------------------------------------------------


def _write(
    options: ProtectOptions,
    write_table: Callable[[Path], None],
    block: dict[str, Any],
    private: dict[str, Any],
    audit: Audit | None,
    notices: tuple[str, ...],
    progress: Progress,
) -> Outcome:
    """Write the table and what belongs to it; the private report alone where the audit found it unsafe."""
    progress.step("writing")
    refused = audit is not None and not audit.safe
    writings = []
    if not refused:
        metadata = metadata_path(options.out)
        writings.append(Writing(target=options.out, write=write_table))
        writings.append(Writing(target=metadata, write=lambda path: _write_text(path, json_text({BLOCK: block}))))
    if options.report is not None:
        text = json_text(private, flat=(*PRIVATE_LISTS, *block["columns"]))
        writings.append(Writing(target=options.report, write=lambda path: _write_text(path, text), private=True))
    written = write_whole(writings)
    outcome = Outcome(audit=audit, written=written, notices=notices)
    if refused:
        message = "the attack on the safe table found small counts that can be proven: the table was not written"
        raise Refused(message, outcome)
    return outcome


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
