"""What commands that take one table of counts are asked alike, and what is checked of it."""

from dataclasses import dataclass, field
from pathlib import Path

from common.faults import Faults
from releases.counts.intable import CountsSpec
from releases.counts.nests import parse_further_nests, parse_nests
from releases.counts.severalmargins import check_margins, has_several_margins
from releases.rules.methodoptions import MethodOptions
from reports.metadata import metadata_path
from sdc.profiles import Profile

__all__ = ["CountsOptions", "Nest"]

LARGEST_BASE = 1_000_000

Nest = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CountsOptions:
    """The options of a command on one table of counts, as the command line gives them.

    Attributes
    ----------
    counts : the table of counts; out : what is written.
    nests : hierarchies such as ``oa<lsoa<lad``, the areas first.
    by : flat dimensions; margins : ``all`` or ``finest``; count : the column of counts.
    areas, categories : lists of all there are; complete : COUNTS names what neither lists.
    already_public : tables that the attacker has; known : what is known of them beside their metadata.
    base, min_count : a count x with 1 <= x <= min_count - 1 is small; where None, the profile's, else 5 and 5.
    profile : a named set of rules, or the file of one.
    method_options : what is asked of methods beside that.
    sensitive : dimensions in which no small group may be exposed.
    key_file : else SMALLAREA_KEY_FILE, else the user's own key.
    """

    counts: Path
    out: Path
    nests: tuple[str, ...]
    by: tuple[str, ...] = ()
    margins: str = "all"
    count: str = "count"
    areas: Path | None = None
    categories: Path | None = None
    complete: bool = False
    already_public: tuple[Path, ...] = ()
    known: Path | None = None
    base: int | None = None
    min_count: int | None = None
    profile: str | None = None
    method_options: MethodOptions = field(default_factory=MethodOptions)
    sensitive: tuple[str, ...] = ()
    key_file: Path | None = None

    @property
    def several_margins(self) -> bool:
        """Whether every margin of several dimensions is asked for, which is no network."""
        return has_several_margins(self.nests, self.by, self.margins)

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read."""
        files = [self.counts, self.areas, self.categories, self.known, self.key_file]
        files += [self.method_options.ptable, self.method_options.cells]
        public = [path for table in self.already_public for path in (table, metadata_path(table))]
        return [path for path in (*files, *public) if path is not None]

    def spec(self, nest: Nest, further: tuple[Nest, ...], *, record_keys: bool) -> CountsSpec:
        """How the table is read; `record_keys` where sums of record keys are wanted too."""
        return CountsSpec(
            path=self.counts,
            nest=nest,
            by=self.by,
            further=further,
            count=self.count,
            areas=self.areas,
            categories=self.categories,
            complete=self.complete,
            record_keys=record_keys,
        )

    def parsed_nests(self, faults: Faults) -> tuple[Nest, tuple[Nest, ...]]:
        """The nest of areas, and the others."""
        return parse_nests(self.nests[:1], faults), parse_further_nests(self.nests[1:], faults)

    def check_limits(self, faults: Faults) -> None:
        """Note a fault for a base and a min_count that cannot be."""
        mend = f"give 2 to {LARGEST_BASE:,}"
        if self.base is not None and not 2 <= self.base <= LARGEST_BASE:
            faults.add("option", f"base ({self.base}) rounds nothing or everything", mend, key="--base")
        if self.min_count is not None and not 2 <= self.min_count <= LARGEST_BASE:
            faults.add("option", f"min_count ({self.min_count}) must be at least 2", mend, key="--min-count")

    def check_dimensions(self, profile: Profile | None, faults: Faults) -> None:
        """Note a fault for margins that are not honoured, and for sensitive dimensions that the table has not."""
        check_margins(self.nests, self.by, self.margins, profile=profile, faults=faults)
        for name in self.sensitive:
            if name not in self.by:
                faults.add("option", f"'{name}' is no dimension of the table", "name one of --by", key="--sensitive")
