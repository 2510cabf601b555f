"""The tasksets beside this file are importable in here and in the tool servers' processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

TASKSETS = str(Path(__file__).parent / "tasksets")


@pytest.fixture(autouse=True, scope="session")
def importable_tasksets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        path = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join([TASKSETS, *([path] if path else [])]))
        patch.syspath_prepend(TASKSETS)
        yield
