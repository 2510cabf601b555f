"""MATH-500 and the 12,000 problems that are left of MATH for training, one JSON line a problem:

{"problem": "Convert the point $(0,3)$ …", "solution": "We have that $r = …", "subject":
 "Precalculus", "answer": "\\\\left( 3, \\\\frac{\\\\pi}{2} \\\\right)", "level": 2,
 "unique_id": "test/precalculus/807.json"}

Both come from the split of PRM800K (arXiv 2305.20050); MATH is arXiv 2103.03874.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_cache_path
from pydantic import BaseModel, Field, StringConstraints, ValidationError

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.math500_entropy")

Split = Literal["test", "train", "sample"]
Subject = Literal[
    "Algebra",
    "Counting & Probability",
    "Geometry",
    "Intermediate Algebra",
    "Number Theory",
    "Prealgebra",
    "Precalculus",
]
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PinnedFile:
    """A published file at one revision, and the SHA-256 of its content."""

    url: str
    sha256: str


FILES = {
    "test": PinnedFile(
        "https://huggingface.co/datasets/HuggingFaceH4/MATH-500/resolve/"
        "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be/test.jsonl",
        "35dc41080a3680858b27fa7e0533d2d547825316fc5dafe5d316f4ccc5a06132",
    ),
    # The same 12,000 as the hub's nlile/hendrycks-MATH-benchmark, which is parquet.
    "train": PinnedFile(
        "https://media.githubusercontent.com/media/openai/prm800k/"
        "7ecc794703b2877f63226f2477a49b34f9b25163/prm800k/math_splits/train.jsonl",
        "90d96daeac3fe343ebb1e22ce93dd99690f75983e957f88de42f87cffe1e8076",
    ),
}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class DataError(ValueError):
    """The data cannot be had or is not what it should be; the message names the mend."""


class Problem(BaseModel):
    """One row. The solution is not read: nothing here needs it."""

    problem: Text
    answer: Text
    subject: Subject
    level: Annotated[int, Field(ge=1, le=5, strict=True)]
    unique_id: Text


def load_problems(split: Split, path: Path | None = None) -> Iterator[Problem]:
    """The problems of a split, or of the file at `path`, in file order.

    `train` leaves out, and logs, every problem that MATH-500 asks as well. DataError where the
    file cannot be had, a row is not of the published schema, or two rows of `path` share an id.
    """
    if path is not None:
        yield from _each_once(path)
        return
    left_out = []
    for problem in _read(_file(split)):
        if split == "train" and digest(problem.problem) in math500_digests():
            left_out.append(problem.unique_id)
        else:
            yield problem
    if left_out:
        logger.warning("train leaves out problems of MATH-500: %s", ", ".join(left_out))


def digest(problem: str) -> str:
    """Identity of a problem's text, whatever its spaces."""
    return hashlib.sha256("".join(problem.split()).encode()).hexdigest()[:16]


@cache
def math500_digests() -> frozenset[str]:
    return frozenset((_shipped() / "math500_digests.txt").read_text().split())


def _shipped() -> Path:
    return Path(str(resources.files("math500_entropy") / "data"))


def _read(file: Path) -> Iterator[Problem]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {str(file)!r} as UTF-8 text: {error}") from error
    if not any(line.strip() for line in lines):
        raise DataError(f"{file}: the file is empty; MATH has one JSON object a line")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _parse(line, f"{file}, line {number}")


def _each_once(file: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for problem in _read(file):
        if problem.unique_id in seen:
            raise DataError(f"{file}: two rows have the unique_id {problem.unique_id!r}: drop one")
        seen.add(problem.unique_id)
        yield problem


def _parse(line: str, place: str) -> Problem:
    try:
        return Problem.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        value = repr(first["input"])
        shown = value if len(value) <= 80 else value[:77] + "…"
        raise DataError(
            f"{place}: {field or 'the row'}: {first['msg']} (got {shown}); a row needs problem, "
            "answer, subject, level (1 to 5) and unique_id"
        ) from error


def _file(split: Split) -> Path:
    return _shipped() / "sample.jsonl" if split == "sample" else download(split, FILES[split])


def download(split: str, pinned: PinnedFile, cache_folder: Path | None = None) -> Path:
    """The pinned file, from the cache or from its address, verified every time."""
    folder = cache_folder if cache_folder is not None else user_cache_path("inward") / "math"
    file = folder / f"{split}-{pinned.sha256[:12]}.jsonl"
    if file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == pinned.sha256:
        return file
    mend = "check the network, or fetch the file yourself and name it with --env.taskset.path FILE"
    try:
        with urllib.request.urlopen(pinned.url, timeout=TIMEOUT_S) as response:
            content: bytes = response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(f"cannot download {pinned.url!r}: {error}; {mend}") from error
    if (got := hashlib.sha256(content).hexdigest()) != pinned.sha256:
        raise DataError(
            f"{pinned.url!r} gave {len(content)} bytes with SHA-256 {got}, but {pinned.sha256} is "
            f"pinned: the download was cut short or the file was changed; try again, or {mend}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=split, delete=False) as part:
        part.write(content)
    os.replace(part.name, file)  # noqa: PTH105 - a NamedTemporaryFile knows its name as text
    return file
