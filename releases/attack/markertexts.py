"""What texts in place of a value mean without being told: ``[c]``, ``low``, ``<5``, ``1 to 4``.

The markers of the Analysis Function's guidance mean what it says.  A text that
producers use for different things is *doubtful*: it is read as suppressed, which
takes nothing for granted, and the reader is told.  So is ``~``: nil to some, and
1 to 4 where figures of 5 and more are rounded (Ministry of Defence).

"Fewer than 5" is read as 0 to 4: some producers show a true zero, others do not.

Sources: Government Analysis Function, "Using symbols and shorthand in tables"
(2022); Ofqual and Ministry of Defence rounding policies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sdc.attack.intervals import NO_BOUND
from sdc.tables import LOW, MARKERS, NOT_AVAILABLE, STRUCTURAL, SUPPRESSED

__all__ = ["Meaning", "meaning_of"]

LETTERS: Mapping[str, int] = {text: marker for marker, text in MARKERS.items() if text}
WORDS: Mapping[str, int] = {
    "c": SUPPRESSED,
    "low": LOW,
    "k": LOW,
    "x": NOT_AVAILABLE,
    "z": STRUCTURAL,
    "..": NOT_AVAILABLE,
    "suppressed": SUPPRESSED,
    "confidential": SUPPRESSED,
}
"""Markers by themselves or in square brackets, in any case."""

DOUBTFUL = ("*", "-", "–", "—", ":", "~")
"""Markers that different producers use for different things."""

NUMBER = r"(\d{1,12})"
RANGES: tuple[tuple[str, str], ...] = (
    (rf"{NUMBER}\s*(?:-|–|—|to)\s*{NUMBER}", "both"),
    (rf"between {NUMBER} and {NUMBER}", "both"),
    (rf"(?:n\s*)?<\s*{NUMBER}", "below"),
    (rf"(?:fewer|less) than {NUMBER}", "below"),
    (rf"(?:under|below) {NUMBER}", "below"),
    (rf"(?:<=|≤)\s*{NUMBER}", "up to"),
    (rf"(?:up to|at most|no more than) {NUMBER}", "up to"),
    (rf"{NUMBER} (?:or|and) (?:fewer|less|under|below)", "up to"),
    (rf"{NUMBER}\s*\+", "from"),
    (rf"(?:>=|≥)\s*{NUMBER}", "from"),
    (rf"at least {NUMBER}", "from"),
    (rf"{NUMBER} (?:or|and) (?:more|over|above)", "from"),
    (rf">\s*{NUMBER}", "above"),
    (rf"(?:more than|over|above) {NUMBER}", "above"),
)
PATTERNS = tuple((re.compile(form), kind) for form, kind in RANGES)


@dataclass(frozen=True)
class Meaning:
    """A marker, and the least and the most that the count behind it may be.

    `said` is True where the file's own describer said so; `doubtful` where
    producers disagree.
    """

    marker: int
    lo: int = 0
    hi: int = NO_BOUND
    said: bool = False
    doubtful: bool = False

    @property
    def is_range(self) -> bool:
        """Whether it bounds the count otherwise than the marker by itself."""
        return self.lo > 0 or self.hi < NO_BOUND


TELLING: Mapping[str, Meaning] = {
    "primary": Meaning(SUPPRESSED, 1),
    "secondary": Meaning(SUPPRESSED),
    "zero": Meaning(SUPPRESSED, 0, 0),
    "rounded": Meaning(SUPPRESSED, 1),
}
"""Meanings that tell more than a marker should; how much more hangs on min_count and the base (`sdc.attack.markers`)."""


def meaning_of(text: str, told: Mapping[str, str | tuple[int, int]]) -> Meaning | None:
    """What a text in place of a value means: as told, else by itself; None where nobody knows.

    >>> meaning_of("fewer than 5", {})
    Meaning(marker=1, lo=0, hi=4, said=False, doubtful=False)
    >>> meaning_of("*", {"*": (1, 7)}).lo, meaning_of("*", {}).doubtful, meaning_of("n/a", {})
    (1, True, None)
    """
    if text in told:
        meaning = told[text]
        if isinstance(meaning, str):
            return replace(TELLING[meaning], said=True) if meaning in TELLING else Meaning(LETTERS[meaning], said=True)
        return Meaning(SUPPRESSED, meaning[0], min(meaning[1], NO_BOUND), said=True)
    plain = " ".join(text.lower().split())
    bare = plain[1:-1].strip() if plain.startswith("[") and plain.endswith("]") else plain
    if bare in WORDS:
        return Meaning(WORDS[bare])
    if bare in DOUBTFUL:
        return Meaning(SUPPRESSED, doubtful=True)
    return _range_of(bare)


def _range_of(plain: str) -> Meaning | None:
    for pattern, kind in PATTERNS:
        match = pattern.fullmatch(plain)
        if match:
            numbers = [int(number) for number in match.groups()]
            lo, hi = {
                "both": (numbers[0], numbers[-1]),
                "below": (0, numbers[0] - 1),
                "up to": (0, numbers[0]),
                "from": (numbers[0], NO_BOUND),
                "above": (numbers[0] + 1, NO_BOUND),
            }[kind]
            return Meaning(SUPPRESSED, lo, min(hi, NO_BOUND)) if lo <= hi and lo < NO_BOUND else None
    return None
