"""One attempt to mend after another: what would be published, the attack on it, and what is told of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

from common.faults import Infeasible, InputError
from common.progress import Progress
from sdc.findings import Audit, Finding
from sdc.mends.editing import tables_of
from sdc.mends.loss import Loss, error_told, loss_told, losses
from sdc.mends.onemarker import alike, has_signs, marked
from sdc.mends.sheet import Published, Sheet, Sheets

__all__ = [
    "DROP",
    "HIDE",
    "KINDS",
    "LEAVE_CATEGORIES",
    "LEAVE_LEVEL",
    "METHOD",
    "ONE_MARKER",
    "Mend",
    "Trial",
    "Way",
    "listed",
]

ONE_MARKER, HIDE, DROP, LEAVE_LEVEL, LEAVE_CATEGORIES, METHOD = KINDS = (
    "one marker",
    "hide cells",
    "drop table",
    "leave out level",
    "leave out categories",
    "other method",
)
NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Mend:
    """One kind of mend: the first that passes, or that none of those tried did.

    Attributes
    ----------
    kind : one of `KINDS`.
    what : the cells (the first thousand), tables, levels, categories or method; empty where none passes.
    passes : whether the attack on the mended tables finds nothing.
    loss : per level, largest areas last; empty where none passes.
    sentence : all this in words, but for errors; `full` with them, for the reviewer alone.
    tried : attacks that were made for it.
    """

    kind: str
    what: tuple[str, ...]
    passes: bool
    loss: tuple[Loss, ...]
    sentence: str
    tried: int

    @property
    def full(self) -> str:
        """The sentence, and the error, which is measured against true counts."""
        return f"{self.sentence}{error_told(self.loss)}"

    def as_dict(self) -> dict[str, object]:
        """The mend as plain data."""
        plain = asdict(self)
        return {**plain, "what": list(self.what), "loss": [asdict(one) for one in self.loss]}


@dataclass(kw_only=True, eq=False)
class Trial:
    """What is mended, and how an attempt is judged."""

    tables: Published
    sheets: Sheets
    audit: Audit
    attack: Callable[[Published], Audit]
    verdict: Callable[[Published], Audit]
    min_count: int
    fixed: frozenset[str]
    most: int
    progress: Progress
    made: int = field(default=0)
    hopeless: bool = field(default=False)

    @property
    def open(self) -> list[Sheet]:
        """The sheets that may be changed."""
        return self.changeable(self.sheets)

    def changeable(self, sheets: Sheets) -> list[Sheet]:
        """Those of some sheets that may be changed."""
        return [sheet for sheet in sheets if sheet.name not in self.fixed]

    @property
    def signed(self) -> frozenset[str]:
        """The tables that may be changed and whose signs tell something."""
        return frozenset(sheet.name for sheet in self.open if has_signs(sheet))

    @cached_property
    def marked(self) -> frozenset[str]:
        """Those of them that have findings of their signs."""
        return marked(self.audit, self.sheets) & self.signed

    @cached_property
    def plain(self) -> Sheets:
        """The sheets, those with findings of their signs under one sign."""
        return alike(self.sheets, self.marked)

    @cached_property
    def plain_audit(self) -> Audit:
        """The attack on these."""
        return self.audited(self.plain) if self.marked else self.audit

    def audited(self, sheets: Sheets) -> Audit:
        """The attack on sheets, counted; what cannot be attacked does not pass."""
        return self._attacked(self.attack, sheets)

    def passes(self, sheets: Sheets) -> bool:
        """Whether the attack on sheets, counted, finds nothing."""
        return self._attacked(self.verdict, sheets).safe

    def _attacked(self, attack: Callable[[Published], Audit], sheets: Sheets) -> Audit:
        self.made += 1
        self.progress.step(f"trying a mend ({self.made})")
        try:
            return attack(tables_of(sheets, self.tables))
        except InputError as error:
            finding = Finding(kind="not attacked", severity="contradiction", table="", cell="", witness=str(error))
            return Audit(findings=(finding,))

    def changed(self, change: Callable[[Sheet], Sheet | None]) -> Sheets:
        """All sheets, those that may be changed as `change` makes them; None drops one."""
        made = [sheet if sheet.name in self.fixed else change(sheet) for sheet in self.sheets]
        return tuple(sheet for sheet in made if sheet is not None)

    def first(self, kind: str, ways: Iterable["Way"], nothing: str) -> Mend:
        """The first way that passes; `nothing` says why there is none to try."""
        self.made, left, failures = 0, False, []
        for way in ways:
            if self.made >= self.most:
                left = True
                break
            try:
                sheets = way.make()
            except (Infeasible, ValueError) as reason:
                failures.append(str(reason))
                continue
            if self.passes(sheets):
                return self.passed(kind, way.what, way.told, sheets)
        return self.failed(kind, nothing, left=left, failures=failures)

    def passed(self, kind: str, what: Sequence[str], told: str, sheets: Sheets) -> Mend:
        """A mend that passes."""
        loss = losses(self.sheets, sheets)
        sentence = f"{told}: the attack then finds nothing. {loss_told(loss)}"
        return Mend(kind=kind, what=tuple(what), passes=True, loss=loss, sentence=sentence.strip(), tried=self.made)

    def failed(
        self, kind: str, nothing: str, *, left: bool = False, hopeless: bool = False, failures: Sequence[str] = ()
    ) -> Mend:
        """That no mend of a kind passes, or that none was tried; why not all were."""
        if not self.made:
            return self._told(kind, f"{_capital(kind)}: not tried, because {failures[0] if failures else nothing}.")
        number = "the one way" if self.made == 1 else f"none of the {self.made} ways"
        does = "that was tried does not leave" if self.made == 1 else "tried leaves"
        more = f" More were not tried: {self.most} is the most." if left else ""
        if hopeless and not left:
            more = f" More were not tried: with so many findings left {self.most} would not be enough."
        return self._told(kind, f"{_capital(kind)}: {number} {does} the attack without findings.{more}")

    def _told(self, kind: str, sentence: str) -> Mend:
        return Mend(kind=kind, what=(), passes=False, loss=(), sentence=sentence, tried=self.made)


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """One mend to try: what it takes out, in words, and what would be published."""

    what: tuple[str, ...]
    told: str
    make: Callable[[], Sheets]


def listed(names: Sequence[str], number: int | None = None) -> str:
    """The first names, and how many more there are: `number` in all, where `names` holds the first ones only."""
    left = (len(names) if number is None else number) - len(names[:NAMED])
    return "; ".join(names[:NAMED]) + (f" and {left:,} more" if left else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
