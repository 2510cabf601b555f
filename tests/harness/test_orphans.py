"""A tool server ends with its worker, also where nobody could tell it to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKER = """
import subprocess, sys, time
import verifiers.v1 as vf
from counting_tools import CountingTools

CountingTools(vf.SharedToolsetConfig())
server = [sys.executable, "-m", "counting_tools"]
print(subprocess.Popen(server, start_new_session=True).pid, file=sys.stderr, flush=True)
time.sleep(600)
"""


# Linux tells a server that serves: what is ours alone is the time before.
@pytest.mark.parametrize(
    "moment", ["in its imports", pytest.param("while it serves", marks=pytest.mark.slow)]
)
def test_a_server_ends_when_its_worker_is_killed(tmp_path: Path, moment: str) -> None:
    port = tmp_path / "port"
    env = {**os.environ, "VF_CONFIG": "{}", "MCP_PORT_FILE": str(port)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], env=env, stdout=pipe, stderr=pipe, text=True
    ) as worker:
        assert worker.stderr is not None
        server = int(worker.stderr.readline())
        while moment == "while it serves" and not port.exists():
            time.sleep(0.05)
        worker.kill()
        worker.wait()
        try:
            # Both hold the pipe open: it ends with the last of them.
            worker.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.kill(server, signal.SIGKILL)
            raise
