import gc
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts a time, and Hypothesis would: 200 ms per example, which a busy machine exceeds.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # Each of some hundred processes would compile its libraries anew: twice the suite's time.
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parents[1] / ".pytest_cache/bytecode")

# Room for the sandboxes of several test processes: none waits for another's.
os.environ.setdefault("INWARD_WORKERS", "8")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without garbage collection, which is a third of the time that collecting the tests takes:
    a million objects of imported libraries, all of which live until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


UNTIL = float(os.environ.get("INWARD_TESTS_UNTIL", "inf"))
"""Seconds since the epoch, after which no test starts: `.ci/run` has an hour."""


@pytest.hookimpl(tryfirst=True)  # before its fixtures, some of which are servers
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.time() > UNTIL:
        # By its name: pytest counts skips of one reason, and names none of them.
        pytest.skip(f"no time was left in this check for {item.nodeid}")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a small SentenceTransformer, trained on the sample stories."""
    pytest.importorskip("sentence_transformers", reason="needs the models group")
    from retrieval import tiny_model as recipe

    return recipe.train(tmp_path_factory.mktemp("tiny"), recipe.sample_stories())


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory):
    """The folder of a tiny random Qwen3 and its tokenizer."""
    pytest.importorskip("torch", reason="the tiny model needs torch (group `models`)")
    from rewards.tiny_qwen import make_tiny

    return make_tiny(tmp_path_factory.mktemp("tiny-qwen"))
