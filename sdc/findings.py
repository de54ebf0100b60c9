"""What an attack or a check found, in the form every report and command prints."""

from dataclasses import asdict, dataclass, field

__all__ = ["SEVERITIES", "Audit", "Finding"]

SEVERITIES = ("disclosure", "contradiction", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding.

    `interval` is the feasibility interval as (lo, hi), hi None where there is
    no bound; `witness` is a sentence a person can follow.  `severity`
    ``disclosure`` and ``contradiction`` make a release unsafe (exit code 1).
    """

    kind: str
    severity: str
    table: str
    cell: str
    witness: str
    interval: tuple[int, int | None] | None = None

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity ({self.severity}) must be one of {', '.join(SEVERITIES)}")

    def as_dict(self) -> dict[str, object]:
        """The finding as plain data, keys in a fixed order."""
        plain = asdict(self)
        return {key: plain[key] for key in ("kind", "severity", "table", "cell", "interval", "witness")}


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What an attack found, what it checked, and what it did not check and why.

    `figures` are numbers worth telling (cells attacked, cells narrowed, path
    taken), by name.  Findings of one kind beyond `SHOWN` are counted in
    `figures`, so that nothing is dropped silently.
    """

    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def safe(self) -> bool:
        """True when nothing found is a disclosure or a contradiction."""
        return not any(finding.severity in ("disclosure", "contradiction") for finding in self.findings)

    def joined(self, other: "Audit") -> "Audit":
        """Both audits as one."""
        return Audit(
            findings=self.findings + other.findings,
            checked=tuple(dict.fromkeys(self.checked + other.checked)),
            not_checked=tuple(dict.fromkeys(self.not_checked + other.not_checked)),
            figures={**self.figures, **other.figures},
        )
