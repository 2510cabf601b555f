"""CharXiv's pictures as the source's experiment divided them, from a local copy or the hub.

Address: hub `princeton-nlp/CharXiv`: `images.zip` with files `<figure id>.jpg`, and `val.parquet`
with a row per figure: {"figure_path": "images/434.jpg", "image": {"bytes": …, "path": …}, …}. The
source drew 100 of the 1,000 validation figures (`random.seed(7111994)`, `random.sample` of the ids
in the order of the annotation files) and trained on the first 75. The ids are written out, so that
no annotation file is needed. The charts belong to the papers' authors and are not part of this
package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from inward_charts import picture_of, shrunk

Split = Literal["train", "eval"]

HUB = "princeton-nlp/CharXiv"
REVISION = "f441eb632fc62f6f777830a0f47619e6e86459b0"
PARQUET = "val.parquet"

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


def charxiv_pictures(source: Path | Literal["hub"], split: Split) -> Iterator[tuple[str, bytes]]:
    """Name and picture of each figure of a split, from a folder of pictures, a folder with
    `val.parquet`, or the hub.

    Raises `ValueError` where one is missing or the hub cannot be read, and `ImportError`, with the
    install command, where `datasets` is needed and not installed.
    """
    figures = TRAIN if split == "train" else EVAL
    if source == "hub" or (source / PARQUET).is_file():
        yield from _from_rows(source, figures)
        return
    for figure in figures:
        file = next((f for s in SUFFIXES if (f := source / f"{figure}{s}").is_file()), None)
        if file is None:
            raise ValueError(
                f"no picture {figure}.jpg in {str(source)!r}: unpack CharXiv's images.zip there, "
                f"or put its {PARQUET} there"
            )
        yield _named(figure), picture_of(file)


def _from_rows(source: Path | Literal["hub"], figures: list[str]) -> Iterator[tuple[str, bytes]]:
    rows, named = _rows(source)
    places = {Path(path).stem: place for place, path in enumerate(rows["figure_path"])}
    for figure in figures:
        if figure not in places:
            raise ValueError(f"no figure {figure} in {named}: is it the validation set of CharXiv?")
        image = rows[places[figure]]["image"]
        try:
            yield _named(figure), shrunk(image["bytes"] or Path(image["path"]).read_bytes())
        except (OSError, ValueError, SyntaxError, TypeError) as error:
            raise ValueError(f"figure {figure} in {named} is no usable image: {error}") from error


def _rows(source: Path | Literal["hub"]) -> tuple[Any, str]:
    """The validation set, pictures as their files' bytes, and what to call it."""
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            "legacy_charxiv from the hub or from val.parquet needs datasets: "
            'pip install "chart-reconstruction[charxiv]"'
        ) from error
    if source == "hub":
        named = f"{HUB} at {REVISION}"
        mend = (
            f"download {PARQUET} of that revision and name its folder with "
            "--env.taskset.legacy-charxiv DIR"
        )
    else:
        named, mend = repr(str(source / PARQUET)), "download it again"
    try:
        if source == "hub":
            rows = datasets.load_dataset(HUB, split="validation", revision=REVISION)
        else:
            files = str(source / PARQUET)
            rows = datasets.load_dataset("parquet", data_files=files, split="train")
        missing = {"figure_path", "image"} - set(rows.column_names)
        if missing:
            raise ValueError(f"it has no column {', '.join(sorted(missing))}")
        return rows.cast_column("image", datasets.Image(decode=False)), named
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"CharXiv cannot be read from {named}: {said}: {mend}") from error


def _named(figure: str) -> str:
    return f"charxiv-{figure}"
