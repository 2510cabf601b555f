"""The HTML report: reading, writing, and the first table of 10,000 rollouts in Chromium.

    uv run --group bench python benchmarks/report.py [--rollouts 10000] [--json]

The anchor is the same browser with an empty page, in one interleaved run: the ratio and the
difference say what the report adds. Writing is compared with parsing the traces as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from targets import Target, report

from inward.report import write_report

ROUNDS = 5


def episode(n: int) -> str:
    """A rollout of a task of eight, with a search and a reply of a few hundred words."""
    task = {"type": "T", "key": f"k{n // 8}"}
    task["data"] = {"idx": n // 8, "id": f"task-{n // 8}", "prompt": "?"}  # type: ignore[assignment]
    words = " ".join(f"word{(n * 7919 + k * 104729) % 5000}" for k in range(400))
    call = {"id": "c", "name": "search", "arguments": '{"query": "x"}'}
    messages = [
        {"role": "system", "content": "Be right."},
        {"role": "user", "content": f"Question {n // 8}?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": words},
        {"role": "assistant", "content": f"{words} Answer: {n}"},
    ]
    nodes = [
        {"parent": k - 1 if k else None, "message": m, "sampled": m["role"] == "assistant"}
        for k, m in enumerate(messages)
    ]
    trace = {
        "id": f"t{n}", "task": task, "ok": True, "agent": {"name": "agent", "config": {}},
        "nodes": nodes, "rewards": {"reward": {"score": n * 7919 % 11 / 10}},
        "metrics": {"searches": 1.0}, "timing": {"start": float(n)}, "is_completed": True,
        "calls": [{"node": 4, "usage": {"prompt_tokens": 900, "completion_tokens": n % 700}}],
    }  # fmt: skip
    return json.dumps({"id": f"e{n}", "task": task, "ok": True, "errors": [], "traces": [trace]})


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("needs chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        traces = folder / "traces.jsonl"
        traces.write_text("".join(f"{episode(n)}\n" for n in range(args.rollouts)))
        empty = folder / "empty.html"
        empty.write_text("<!doctype html><main><p class=row>empty</p></main>")
        parsing = timed(lambda: [json.loads(line) for line in traces.open("rb")])
        writing = timed(lambda: write_report(folder))
        page_file = folder / "report.html"
        size = traces.stat().st_size
        print(
            f"{args.rollouts} rollouts, {size / 1e6:.0f} MB of traces, page of"
            f" {page_file.stat().st_size / 1e6:.1f} MB; written in {writing:.1f} s,"
            f" {writing / parsing:.1f} times json.loads of all lines"
        )
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def first_row(file: Path, hash_: str) -> float:
            page = browser.new_page()
            try:

                def show() -> None:
                    page.goto(file.as_uri() + hash_, wait_until="commit")
                    page.wait_for_selector(".row")

                return timed(show)
            finally:
                page.close()

        own, anchor = [], []
        for _ in range(ROUNDS):
            anchor.append(first_row(empty, ""))
            own.append(first_row(page_file, "#rollouts"))
        browser.close()
        first = statistics.median(own)
        print(
            f"first table: median {first:.2f} s (from {min(own):.2f} to {max(own):.2f}), an empty"
            f" page {statistics.median(anchor):.2f} s"
        )
    report([Target("first table of 10,000 rollouts, s", first, 2.0, most=True)], args.json)


if __name__ == "__main__":
    main()
