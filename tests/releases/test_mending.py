"""A release that its attack refuses: mends are tried on its tables under the whole attack of a release."""

from pathlib import Path
from typing import Any

import pytest
from small_place import change, copied, make_place, one_table, rows_of

import releases.publish.pipeline as pipeline
from releases.outcome import Refused
from releases.publish.judging import attack_release
from releases.publish.mending import mends_of_release
from releases.publish.pipeline import publish
from sdc.mends.trying import KINDS, Mend


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return make_place(tmp_path_factory.mktemp("mending"))


def refused(monkeypatch, release: Path, folder: Path) -> dict[str, Mend]:
    """The mends of a release that is refused."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def listen(*given, **options):
        seen.append((given, options))
        return attack_release(*given, **options)

    monkeypatch.setattr(pipeline, "attack_release", listen)
    with pytest.raises(Refused) as caught:
        publish(release, folder / "out")
    ((given, options),) = seen
    assert not (folder / "out").exists()
    mends = mends_of_release(*given, caught.value.outcome.audit, **options)
    assert [mend.kind for mend in mends] == list(KINDS[1:])
    return {mend.kind: mend for mend in mends}


def test_conventional_rounding_is_mended_by_another_method_alone(monkeypatch, place: Path, tmp_path: Path) -> None:
    release = copied(place, tmp_path / "place")
    change(release, protection__method="conventional-rounding")
    mends = refused(monkeypatch, release, tmp_path)
    assert {kind for kind, mend in mends.items() if mend.passes} == {"other method"}
    assert mends["other method"].loss[0].hidden == 0 and mends["other method"].loss[0].error > 0


def test_what_is_already_public_is_known_whatever_is_mended(monkeypatch, place: Path, tmp_path: Path) -> None:
    """Where somebody else has published true small counts, only our silence does not tell them again."""
    release = one_table(copied(place, tmp_path / "place"), ["benefit"])
    publish(release, tmp_path / "first")
    true = rows_of(tmp_path / "first-review" / "true-beside-published-one.csv")
    known = [row for row in true if row["area_level"] == "oa" and row["benefit"] != "Total"]
    lines = ["area_level,area,benefit,value", *(f"oa,{r['area']},{r['benefit']},{r['true']}" for r in known)]
    (release.parent / "known.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    change(release, already_public=[{"path": "known.csv"}], series__id="another")
    mends = refused(monkeypatch, release, tmp_path)
    assert [kind for kind, mend in mends.items() if mend.passes] == ["drop table"]
