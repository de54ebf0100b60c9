"""What a policy sets: the method, its parameters, and which risk rules are asked with which limits."""

from dataclasses import dataclass

from sdc.rules.flags import Rule
from sdc.rules.kdisclosure import KDisclosure
from sdc.rules.rates import Complement, LowDenominator
from sdc.rules.sparsity import Sparsity
from sdc.rules.threshold import Threshold
from sdc.rules.zeros import Zeros
from sdc.tables import Table

__all__ = ["METHODS", "ROUNDINGS", "Settings", "rules_of"]

ROUNDINGS = ("controlled-rounding", "conventional-rounding", "random-rounding", "small-count-rounding")
METHODS = (*ROUNDINGS, "cell-key", "suppression")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a profile sets; None where it says nothing, and the rule is not asked.

    Attributes
    ----------
    method : one of `METHODS`.
    base : rounding base; 1 where the method has none.
    min_count : a count x with 1 <= x <= min_count - 1 is small.
    zeros : ``public`` or ``sensitive``.
    k, upper_bound : coalition and exempt group size of k-disclosure, for dimensions declared sensitive.
    least_mean, most_ones, fewest_populated : limits of sparsity.
    fewest_residents, fewest_households : least denominators of rates and areas.
    fewest_for_percentage, fewest_for_mean : fewest people that a percentage or mean is shown of.
    percentages : ``shown`` where they are worked out from figures as shown, ``true`` from true counts.
    percentage_decimals : decimals that percentages are shown with.
    max_noise, variance, never_shown, stay : bound, variance, counts 1 … never_shown that
        are never shown, and least probability of no change, of cell-key noise.

    Raises
    ------
    ValueError
        A setting lies outside its range.
    """

    method: str = "controlled-rounding"
    base: int = 5
    min_count: int = 5
    zeros: str = "public"
    k: int | None = None
    upper_bound: int | None = None
    least_mean: float | None = None
    most_ones: float | None = None
    fewest_populated: int | None = None
    fewest_residents: int | None = None
    fewest_households: int | None = None
    fewest_for_percentage: float | None = None
    fewest_for_mean: int | None = None
    percentages: str | None = None
    percentage_decimals: int | None = None
    max_noise: int | None = None
    variance: float | None = None
    never_shown: int | None = None
    stay: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method ({self.method}) must be one of {', '.join(METHODS)}")
        if self.base < 1 or (self.method in ROUNDINGS and self.base < 2):
            raise ValueError(f"base ({self.base}) must be at least 2 to round, and 1 where nothing is rounded")
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if self.percentages not in (None, "shown", "true"):
            raise ValueError(f"percentages ({self.percentages}) must be shown or true")
        if (self.method == "cell-key") != (self.max_noise is not None):
            raise ValueError("max_noise must be given for cell-key, and for no other method")
        if self.max_noise is not None and self.max_noise < 1:
            raise ValueError(f"max_noise ({self.max_noise}) must be at least 1")
        # The rules check what is theirs.
        rules_of(self, sensitive=("any",))


def rules_of(
    settings: Settings,
    *,
    sensitive: tuple[str, ...],
    zeros: Zeros | None = None,
    residents: Table | None = None,
    households: Table | None = None,
) -> tuple[Rule[Table], ...]:
    """The risk rules that settings ask for: threshold always, others where they are set or data for them are given.

    `zeros` overrides the settings' treatment, for structural zeros and exceptions;
    `residents` and `households` are denominators.
    """
    kept = zeros or Zeros(default=settings.zeros)
    rules: list[Rule[Table]] = [Threshold(min_count=settings.min_count)]
    if zeros is not None or settings.zeros != "public":
        rules.append(kept)
    if settings.k is not None and sensitive:
        rules.append(KDisclosure(sensitive=sensitive, k=settings.k, upper_bound=settings.upper_bound, zeros=kept))
    limits = {
        name: value
        for name in ("least_mean", "most_ones", "fewest_populated")
        if (value := getattr(settings, name)) is not None
    }
    if limits:
        idle = {"least_mean": 0.0, "most_ones": 1.0, "fewest_populated": 0}
        rules.append(Sparsity(zeros=kept, **{**idle, **limits}))
    if residents is not None or households is not None:
        rules.append(
            LowDenominator(
                residents=residents if settings.fewest_residents is not None else None,
                households=households if settings.fewest_households is not None else None,
                fewest_residents=settings.fewest_residents or 0,
                fewest_households=settings.fewest_households or 0,
            )
        )
    if residents is not None:
        rules.append(Complement(population=residents, min_count=settings.min_count))
    return tuple(rules)
