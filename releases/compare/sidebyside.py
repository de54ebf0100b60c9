"""Methods side by side on one table of counts, for the statistician alone.

Every method is tried on the table, attacked as `protect --attack` does, and
measured against the true counts; what that came to is written into a private
folder as a page, a JSON and a CSV file.  No protected table is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common.faults import Faults, Infeasible, InputError
from common.progress import SILENT, Progress
from releases.compare.comparefiles import FORMAT, NAMES, comparison_files
from releases.compare.comparing import Trial, choose_area, try_variant, worked_area
from releases.compare.comparingcubes import try_cube, worked_cube
from releases.compare.variants import Unfit, Variant, variants_of
from releases.counts.countsoptions import CountsOptions, Nest
from releases.counts.intable import Counted, read_counts
from releases.files.privatefolder import check_private_folder, write_private_folder
from releases.outcome import Refused
from releases.protect.audited import read_beside
from releases.rules.methodoptions import check_method_options
from releases.rules.profiles import find_profile
from releases.software import software_name
from reports.comparison import Compared, Comparison
from sdc.cube import Cube
from sdc.margins import cube_of_crossing
from sdc.profiles import Profile
from sdc.tables import AIMS

__all__ = ["CompareOptions", "Done", "compare"]


@dataclass(frozen=True, kw_only=True)
class CompareOptions(CountsOptions):
    """The options of ``compare``.

    Attributes
    ----------
    out : the private folder to write.
    methods : names of `releases.compare.variants.variant_names`; empty for all of them.
    """

    methods: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What was compared, and the files written."""

    comparison: Comparison
    written: tuple[Path, ...]
    notices: tuple[str, ...] = ()


def compare(options: CompareOptions, *, progress: Progress = SILENT) -> Done:
    """Compare methods on one table of counts.

    Raises
    ------
    InputError
        The input or the options are wrong, or a file cannot be written; every fault that could be found.
    Infeasible
        No method asked for has a solution under what was asked.
    """
    nest, further, profile, ways = _check_options(options)
    variants = [way for way in ways if isinstance(way, Variant)]
    unfit = [way for way in ways if isinstance(way, Unfit)]
    if not variants:
        raise _none_fit(unfit)
    progress.step("reading counts")
    counted = read_counts(options.spec(nest, further, record_keys=True))
    cube = cube_of_crossing(counted.table, counted.nests) if options.several_margins else None
    min_count = variants[0].settings.min_count
    trial = _trial(options, counted, cube, nest, min_count)
    compared, failed = _try_all(trial, cube, variants, progress)
    order = [way.name for way in ways]
    unfit = sorted([*unfit, *failed], key=lambda one: order.index(one.name))
    if not compared:
        raise _none_fit(unfit)
    hierarchy = counted.table.hierarchy
    facts = Comparison(
        counts=options.counts.name,
        dimensions=counted.table.classification.dimensions,
        levels=tuple(zip(hierarchy.levels, hierarchy.units, strict=True)),
        min_count=min_count,
        methods=tuple(compared),
        unfit=tuple((one.name, one.reason) for one in unfit),
        worked=worked_area(counted.table, trial.area) if cube is None else worked_cube(cube, trial.area),
        software=software_name(),
        notices=(
            *counted.notices,
            *trial.beside.notices,
            *(profile.caveats if profile else ()),
        ),
    )
    progress.step("writing")
    written = write_private_folder(options.out, comparison_files(options.out, facts))
    return Done(comparison=facts, written=written, notices=facts.notices)


def _try_all(
    trial: Trial, cube: Cube | None, variants: Sequence[Variant], progress: Progress
) -> tuple[list[Compared], list[Unfit]]:
    """One method after the other; those that have no solution for this table, with the reason.

    A cube is every margin of the table's dimensions; where there is none the table is a network.
    """
    compared, failed = [], []
    for variant in variants:
        try:
            if cube is None:
                compared.append(try_variant(trial, variant, progress=progress))
            else:
                compared.append(try_cube(trial, cube, variant, progress=progress))
        except (Infeasible, Refused) as error:
            failed.append(Unfit(name=variant.name, reason=str(error)))
    return compared, failed


def _none_fit(unfit: Sequence[Unfit]) -> Infeasible:
    reasons = "; ".join(f"{one.name}: {one.reason}" for one in unfit)
    return Infeasible(f"no method can be used on this table: {reasons}", demands=[one.name for one in unfit])


def _trial(
    options: CompareOptions, counted: Counted, cube: Cube | None, nest: tuple[str, ...], min_count: int
) -> Trial:
    beside = read_beside(
        counted.table if cube is None else cube,
        options.counts,
        options.already_public,
        options.known,
        nest=nest,
        count=options.count,
    )
    return Trial(
        table=counted.table,
        name=options.counts.stem,
        key_file=options.key_file,
        keys=counted.keys,
        sensitive=options.sensitive,
        beside=beside,
        area=choose_area(counted.table, min_count),
    )


# --- Options --------------------------------------------------------------------------------------


def _check_options(
    options: CompareOptions,
) -> tuple[Nest, tuple[Nest, ...], Profile | None, tuple[Variant | Unfit, ...]]:
    """Refuse what cannot be honoured, with every fault; returns the nest of areas, the others, the profile and the ways."""
    faults = Faults()
    nest, further = options.parsed_nests(faults)
    options.check_limits(faults)
    # Weights are for the one way that has an aim of its own.
    check_method_options(replace(options.method_options, aim=AIMS[1]), None, nest, faults)
    profile = _profile(options, faults)
    ways = variants_of(
        options.methods,
        base=options.base,
        min_count=options.min_count,
        profile=profile,
        options=options.method_options,
        faults=faults,
    )
    options.check_dimensions(profile, faults)
    mark = (NAMES[-1], FORMAT)
    check_private_folder(options.out, NAMES, mark=mark, inputs=options.inputs, faults=faults)
    faults.raise_if_any()
    return nest, further, profile, ways


def _profile(options: CompareOptions, faults: Faults) -> Profile | None:
    if options.profile is None:
        return None
    try:
        return find_profile(options.profile)
    except InputError as error:
        faults.extend(error)
        return None
