"""The baselines of `quality-rag` on real stories, as its README's table; and how fast it plays.

    uv run python benchmarks/quality.py [--rollouts N]      # two minutes

Runs `inward eval quality-rag` for each baseline and data set: the 36 stories of
`quality_dev_gutenberg_36.json`, converted to the original schema in a temporary folder; the 15
questions of the original schema; the sample. Then the 36 questions N times over (8), so that the
start of the run weighs little in its rollouts/s.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared/data/quality"
OURS = DATA / "quality_dev_gutenberg_36.json"
ORIGINAL = DATA / "quality_v1.0.1_htmlstripped_dev_first2.jsonl"
BASELINES = ("keyword-reader", "random")
SHOWN = ("accuracy", "share of the story", "errors", "wall time")


def original_schema(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the other file, whose gold label counts from 0 and which knows no annotators."""
    question = {
        "question": row["question"],
        "question_unique_id": f"{row['article_id']}_1",
        "options": row["options"],
        "gold_label": int(row["gold_label"]) + 1,
        "difficult": 0,
    }
    title = row["article"].strip().splitlines()[0]
    return {
        "article_id": row["article_id"],
        "title": title,
        "article": row["article"],
        "questions": [question],
    }


def evaluate(baseline: str, options: list[str], folder: str) -> Iterator[str]:
    """The shown lines of the table that the command prints."""
    command = Path(sys.executable).with_name("inward")
    arguments = ["eval", "quality-rag", "--baseline", baseline, *options]
    done = subprocess.run(
        [command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"inward {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    for line in done.stdout.splitlines():
        cells = [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]
        if cells and cells[0].startswith(SHOWN):
            yield "  ".join(filter(None, cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rollouts", type=int, default=8, help="a question, for the rate")
    arguments = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA} is not there: the real stories are measured from it")
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "stories.jsonl"
        rows = map(original_schema, json.loads(OURS.read_text("utf-8")))
        converted.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        real = ["--env.taskset.path", str(converted)]
        runs = {
            "36 real stories": real,
            "15 questions of the original schema": ["--env.taskset.path", str(ORIGINAL)],
            "sample": [],
        }
        for name, options in runs.items():
            for baseline in BASELINES:
                print(f"{name}, {baseline}")
                for line in evaluate(baseline, options, folder):
                    print(f"  {line}")
        print(f"36 real stories, {BASELINES[0]}, {arguments.rollouts} rollouts a question")
        for line in evaluate(BASELINES[0], [*real, "-r", str(arguments.rollouts)], folder):
            print(f"  {line}")


if __name__ == "__main__":
    main()
