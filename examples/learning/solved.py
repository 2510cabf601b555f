"""Problems with their solutions, in the schema of MATH-500."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeVar

from inward_chat.json_lines import read_rows
from math500_entropy.data import SHIPPED
from pydantic import BaseModel


class Solved(BaseModel):
    problem: str
    solution: str


class Answered(Solved):
    answer: str


Row = TypeVar("Row", bound=Solved)


def asked_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was asked, with the file of problems and that of the figures."""
    parser.add_argument(
        "--path",
        type=Path,
        default=SHIPPED / "sample.jsonl",
        help="problems with solutions, in the schema of MATH-500; 28 that ship where left out",
    )
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    asked = parser.parse_args()
    if asked.json and not asked.json.parent.is_dir():  # before the run, and not after it
        parser.error(f"--json {asked.json}: there is no folder {str(asked.json.parent)!r}")
    return asked


def read(model: type[Row], path: Path) -> list[Row]:
    """The rows of a file. Raises `inward_chat.downloads.DataError`, fit to show."""
    needs = f"; a row needs {', '.join(model.model_fields)}"
    return [row for row, _ in read_rows(model, path, kept_as="", mend="", hint=lambda _: needs)]
