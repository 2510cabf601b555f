"""MATH-500 and the 12,000 problems that are left of MATH for training, one JSON line per problem:

{"problem": "Convert the point $(0,3)$ …", "solution": "We have that $r = …", "subject":
 "Precalculus", "answer": "\\\\left( 3, \\\\frac{\\\\pi}{2} \\\\right)", "level": 2,
 "unique_id": "test/precalculus/807.json"}

Both come from the split of PRM800K (arXiv 2305.20050); MATH is arXiv 2103.03874.
"""

import hashlib
import logging
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from inward_chat.downloads import DataError, PinnedFile
from inward_chat.json_lines import read_rows
from pydantic import BaseModel, Field, StringConstraints

__all__ = ["DataError", "Problem", "Split", "Subject", "digest", "load_problems", "math500_digests"]

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
FILES: dict[str, PinnedFile] = {
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
MEND = "fetch the file yourself and name it with --env.taskset.path FILE"
SCHEMA = "; a row needs problem, answer, subject, level (1 to 5) and unique_id"
SHIPPED = Path(str(resources.files("math500_entropy") / "data"))

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


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
    seen: set[str] = set()
    left_out = []
    published = FILES.get(split) if path is None else None
    source = published or path or SHIPPED / "sample.jsonl"
    kept_as = f"math/{split}-{published.digest[:12]}.jsonl" if published else ""
    rows = read_rows(Problem, source, kept_as=kept_as, mend=MEND, hint=lambda _: SCHEMA)
    for problem, _ in rows:
        if path is not None and problem.unique_id in seen:
            raise DataError(f"{path}: two rows have the unique_id {problem.unique_id!r}: drop one")
        seen.add(problem.unique_id)
        if path is None and split == "train" and digest(problem.problem) in math500_digests():
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
    return frozenset((SHIPPED / "math500_digests.txt").read_text().split())
