"""CharXiv's pictures as the source's experiment divided them, from a local copy.

Address: hub `princeton-nlp/CharXiv`, `images.zip`; files `<figure id>.jpg`. The source drew 100 of
the 1,000 validation figures (`random.seed(7111994)`, `random.sample` of the ids in the order of the
annotation files) and trained on the first 75. The ids are written out, so that no annotation file
is needed. The charts belong to the papers' authors and are not part of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from inward_charts import picture_of

Split = Literal["train", "eval"]

TRAIN = """
    434 1259 531 936 2378 1031 1170 1717 1614 693 1941 1105 1575 2145 974 842 1431 1844 1793 705
    638 814 1481 844 196 283 1650 2361 1514 1582 1887 1073 1192 421 1456 195 1098 2158 1496 2329
    445 2385 468 1472 517 878 422 1845 513 1294 1174 2380 1784 882 2018 1819 449 2321 1953 678
    1320 1159 587 1873 1797 2379 586 1763 953 890 181 362 2167 507 2223
""".split()
EVAL = """
    1521 113 1096 1190 1645 1138 1880 92 499 2381 2000 1125 88 1444 337 1406 107 1580 642 1039
    946 1754 897 1585 1455
""".split()
SUFFIXES = (".jpg", ".jpeg", ".png")


def charxiv_pictures(folder: Path, split: Split) -> Iterator[tuple[str, bytes]]:
    """Name and picture of each figure of a split. Raises `ValueError` where one is missing."""
    for figure in TRAIN if split == "train" else EVAL:
        file = next((f for s in SUFFIXES if (f := folder / f"{figure}{s}").is_file()), None)
        if file is None:
            raise ValueError(
                f"no picture {figure}.jpg in {str(folder)!r}: unpack CharXiv's images.zip there"
            )
        yield f"charxiv-{figure}", picture_of(file)
