"""The HTML report: reading, writing, and the first table of 10,000 rollouts in Chromium.

    uv run --group bench python benchmarks/report.py [--rollouts 10000] [--json]
    uv run --group bench python benchmarks/report.py --large [--gigabytes 2] [--json]

The anchor is the same browser with an empty page, in one interleaved run: the ratio and the
difference say what the report adds. Writing is compared with parsing the traces as JSON, in CPU
seconds.

`--large` writes a run of two gigabytes, each rollout with the ids and log-probabilities of 2,000
tokens, reads it with `inward report` as a process of its own, and tells its peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from targets import Target, report

from inward.report import write_report

ROUNDS = 5
INWARD = str(Path(sys.executable).with_name("inward"))


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


def large(gigabytes: float, as_json: bool) -> None:
    """`inward report` on a run of that size: peak memory of the process, its time, the page."""
    with tempfile.TemporaryDirectory() as place:
        folder, size, count = Path(place), 0, 0
        tokens = {
            "token_ids": [n * 7919 % 150_000 for n in range(2000)],
            "mask": [True] * 2000,
            "logprobs": [-(n % 997) / 1000 for n in range(2000)],
        }
        with (folder / "traces.jsonl").open("w") as file:
            while size < gigabytes * 1e9:
                record = json.loads(episode(count))
                record["traces"][0]["nodes"][-1] |= tokens
                size, count = size + file.write(json.dumps(record) + "\n"), count + 1
        start = time.perf_counter()
        done = subprocess.run([INWARD, "report", str(folder)], check=True, capture_output=True)
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        sys.stderr.write(done.stderr.decode())
        page = (folder / "report.html").stat().st_size
    peak = used.ru_maxrss / 1024
    cpu = used.ru_utime + used.ru_stime
    print(
        f"{count} rollouts, {size / 1e9:.2f} GB of traces: {wall:.0f} s ({cpu:.0f} of the CPU),"
        f" peak {peak:.0f} MiB ({1024 * peak / count:.1f} KiB per rollout), page of"
        f" {page / 1e6:.1f} MB"
    )
    targets = [
        Target("peak memory on a run of 2 GB, MiB", peak, 1024, most=True),
        Target("page, MB", page / 1e6, 60, most=True),
    ]
    report(targets, as_json)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cpu_of(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--gigabytes", type=float, default=2.0)
    args = parser.parse_args()
    if args.large:
        large(args.gigabytes, args.json)
        return
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
        parsing = cpu_of(lambda: [json.loads(line) for line in traces.open("rb")])
        writing = cpu_of(lambda: write_report(folder))
        page_file = folder / "report.html"
        size = traces.stat().st_size
        print(
            f"{args.rollouts} rollouts, {size / 1e6:.0f} MB of traces, page of"
            f" {page_file.stat().st_size / 1e6:.1f} MB; written in {writing:.1f} s of"
            f" the CPU, {writing / parsing:.1f} times json.loads of all lines"
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
