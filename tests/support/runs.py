"""Real runs of the command-line tools, and what they leave behind."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def command(*words, cwd, timeout=280) -> Done:
    """Run a console script of this environment to its end, as a process."""
    script, *arguments = map(str, words)
    done = subprocess.run(
        [SCRIPTS / script, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def call(*words, cwd) -> Done:
    """The same in this process: it saves the seconds that importing verifiers takes."""
    script, *arguments = map(str, words)
    [point] = entry_points(group="console_scripts", name=script)
    out, err = io.StringIO(), io.StringIO()
    before, environ = sys.argv, dict(os.environ)
    sys.argv, code = [script, *arguments], 0
    try:
        with (
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            point.load()()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
        if isinstance(stop.code, str):
            err.write(stop.code)
    finally:
        sys.argv = before
        os.environ.clear()
        os.environ.update(environ)
    return Done(code, out.getvalue(), err.getvalue())


def vf_eval(env, server, *arguments, cwd, name="run") -> list[dict]:
    """`vf-eval` against a policy server; the episodes it wrote. Fails the test where it fails."""
    done = call(
        "vf-eval", env, "-m", server.model, "--client.base-url", server.base_url,
        "--no-push", "--no-rich", "--run.name", name, *arguments,
        cwd=cwd,
    )  # fmt: skip
    assert done.code == 0, done.err
    return episodes(cwd / "outputs" / name)


def episodes(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "traces.jsonl").read_text().splitlines()]


def traces(episodes: list[dict]) -> dict[str, dict]:
    """Task id -> trace."""
    return {e["task"]["data"]["id"]: trace for e in episodes for trace in e["traces"]}
