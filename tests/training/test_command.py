"""`inward serve-rollouts`, as a trainer meets it: another process, over HTTP."""

import asyncio
import contextlib
import gc
import re
import signal
import subprocess
import sys

import pytest
from inward_training import RemoteRollouts
from support.runs import call
from training.env_servers import MAIN, WAIT_S


def command(*words):
    return [sys.executable, "-c", MAIN, "serve-rollouts", *words]


@contextlib.asynccontextmanager
async def serve_rollouts(env, *words):
    """The address of its process, which ends well."""
    server = await asyncio.create_subprocess_exec(
        *command(env, *words, "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        line = (await asyncio.wait_for(server.stdout.readline(), WAIT_S)).decode()
        found = re.fullmatch(rf"rollouts of {env} by tiny at (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line or (await server.stderr.read()).decode()
        yield found[1]
    finally:
        server.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.wait(), 60) == 0


async def test_a_trainer_plays_through_it(engine, tokenizer):
    url = engine(lambda text: "a" if "Say a" in text else "x")
    words = ["copy-letter", "-m", "tiny", "--client.base-url", url]
    renderer = ["--client.renderer.name", "qwen3", "--client.renderer-model-name", str(tokenizer)]
    async with serve_rollouts(*words, *renderer) as url, RemoteRollouts(url) as rollouts:
        (group,) = [g async for g in rollouts.play([0], group_size=2)]
        assert [s.reward for s in group.samples] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "name the environment first: inward serve-rollouts ENV -m MODEL"),
        (["copy-letter"], "name the policy that the engine serves: -m MODEL"),
        (
            ["copy-letter", "-m", "tiny", "--client.base-url", "http://127.0.0.1:9/v1"],
            "127.0.0.1:9",
        ),
        (
            ["copy-letter", "-m", "tiny", "-n", "3"],
            "does not read 'select': drop it",
        ),
        (["copy-letter", "-m", "tiny", "-r", "8"], "does not read 'num_rollouts'"),
        (["copy-letter", "-m", "tiny", "--port", "99999"], "--port 99999: a port is from 0 to"),
    ],
)
def test_a_mistake_is_one_line(words, line, tmp_path):
    one_line(call("inward", "serve-rollouts", *words, cwd=tmp_path), line)


def test_an_env_server_without_an_address_is_one_line(engine, tmp_path):
    words = ["copy-letter", "-m", "tiny", "--client.base-url", engine(str), "--server", "foo"]
    line = "'foo' is no address such as tcp://127.0.0.1:5000"
    one_line(call("inward", "serve-rollouts", *words, cwd=tmp_path), line)
    gc.collect()  # nothing is left open that would wait as it is collected


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "name the environment first: inward serve ENV"),
        (["copy-letter", "-m", "tiny"], "inward serve does not read 'model': drop it"),
        (["copy-letter", "--workers", "0"], "--workers 0: at least 1, or 0 beside a --peer"),
        (["copy-letter", "--hung", "0"], "--hung 0: seconds, more than 0"),
        (["copy-letter", "--silence", "nan"], "--silence nan: seconds, more than 0"),
        (["copy-letter", "--address", "nowhere"], "cannot listen at 'nowhere'"),
        (
            ["copy-letter", "--workers", "0", "--peer", "nowhere"],
            "peer 'nowhere' is no address such as tcp://host:5000",
        ),
    ],
)
def test_a_mistake_at_serve_is_one_line(words, line, tmp_path):
    one_line(call("inward", "serve", *words, cwd=tmp_path), line)


def one_line(done, line):
    assert done.code == 2
    assert line in done.err
    assert len(done.err.splitlines()) == 1
