"""Small files for tests of tables of counts: four output areas in two LSOAs in one authority, two benefits, two sexes."""

from pathlib import Path

KEY = b"a key of made-up tables, which is no secret at all"
NEST = "oa<lsoa<lad"
AREAS = """oa,lsoa,lad
E00000001,E01000001,E08000001
E00000002,E01000001,E08000001
E00000003,E01000002,E08000001
E00000004,E01000002,E08000001
"""
CATEGORIES = """dimension,category
benefit,jsa
benefit,uc
sex,f
sex,m
"""
COUNTS = """oa,benefit,count
E00000001,jsa,7
E00000001,uc,3
E00000002,uc,1
E00000003,jsa,12
"""
"""E00000004 has no row: all its counts are zeros."""

WHOLE = """oa,lsoa,lad,benefit,count
E00000001,E01000001,E08000001,jsa,7
E00000001,E01000001,E08000001,uc,3
E00000002,E01000001,E08000001,uc,1
E00000003,E01000002,E08000001,jsa,12
"""
"""The same counts with their tree: no E00000004."""


def write(folder: Path, **files: str) -> dict[str, Path]:
    """Write texts as ``<name>.csv`` in the folder; by default the three above."""
    texts = {"areas": AREAS, "categories": CATEGORIES, "counts": COUNTS, **files}
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text, encoding="utf-8", newline="")
    paths["key"] = folder / "test.key"
    paths["key"].write_bytes(KEY)
    return paths
