"""The ways of protecting one table that `compare` sets side by side: every method, and every aim that a method may have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.faults import Faults, Infeasible, InputError
from releases.protect.methods import METHODS, check_settings
from releases.rules.methodoptions import SERVES, MethodOptions
from sdc.cellkey.design import PTableSpec
from sdc.presentation import Band
from sdc.profiles import Profile, settle
from sdc.rules.settings import ROUNDINGS, Settings
from sdc.tables import AIMS

__all__ = ["Unfit", "Variant", "variant_names", "variants_of"]

DEFAULT_BASE, DEFAULT_MIN_COUNT = 5, 5


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way of protecting: the name it is compared under, and what is asked of its method."""

    name: str
    settings: Settings
    options: MethodOptions
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A way of protecting that has no solution for what was asked, and why not."""

    name: str
    reason: str


def variant_names() -> tuple[str, ...]:
    """Every way there is: the methods of ``protect``, and the aims a method has beside its usual one, by their names."""
    return (*METHODS, *AIMS[1:])


def variants_of(
    names: Sequence[str],
    *,
    base: int | None,
    min_count: int | None,
    profile: Profile | None,
    options: MethodOptions,
    faults: Faults,
) -> tuple[Variant | Unfit, ...]:
    """The ways named, or all, in the order of `variant_names`, each with the settings that it works by.

    The settings of a profile hold for its own method; of the others it sets
    `min_count`, `base` where both round, and the rules.  Names that are not known, and options that a
    locked profile fixes otherwise, are noted as faults.
    """
    known = variant_names()
    for name in names:
        if name not in known:
            faults.add("method", f"'{name}' is not known", f"use {', '.join(known)}", key="--methods")
    found: list[Variant | Unfit] = []
    for name in known:
        if names and name not in names:
            continue
        try:
            found.append(_variant(name, base, min_count, profile, options))
        except Infeasible as error:
            found.append(Unfit(name=name, reason=str(error)))
        except InputError as error:
            faults.extend(error)
            break  # a profile that refuses an option refuses it for every method
        except ValueError:
            break  # base or min_count lies outside its range, which the options' own check tells
    return tuple(found)


def _variant(
    name: str, base: int | None, min_count: int | None, profile: Profile | None, options: MethodOptions
) -> Variant:
    # Advice on coarser tables, each of which is another suppression, is for who has chosen it.
    weights = options.weights if name in AIMS else ()
    asked = replace(options, aim=name if name in AIMS else None, weights=weights, max_hidden=1.0)
    method = SERVES["aim"][0] if name in AIMS else name
    own = profile is not None and profile.settings.method == method
    if profile is not None and own:
        settings = settle(profile, base=base, min_count=min_count)
    else:
        settings = _settings(method, base, min_count, profile, options)
    check_settings(settings, asked)
    return Variant(name=name, settings=settings, options=asked, bands=profile.bands if profile and own else ())


def _settings(
    method: str, base: int | None, min_count: int | None, profile: Profile | None, options: MethodOptions
) -> Settings:
    rules = Settings(base=DEFAULT_BASE, min_count=DEFAULT_MIN_COUNT) if profile is None else profile.settings
    usual = rules.base if rules.method in ROUNDINGS else DEFAULT_BASE
    noisy = method == "cell-key"
    return replace(
        rules,
        method=method,
        base=(usual if base is None else base) if method in ROUNDINGS else 1,
        min_count=rules.min_count if min_count is None else min_count,
        max_noise=(options.noise_bound or PTableSpec.bound) if noisy else None,
        variance=options.noise_variance if noisy else None,
        never_shown=None,
        stay=None,
    )
