"""The tasksets beside this file are importable in here and in the tool servers' processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rewards.tiny_qwen import TinyQwen, train_tokenizer

TASKSETS = str(Path(__file__).parent / "tasksets")
COPY_LETTER = {"taskset": {"id": "copy-letter"}}


@pytest.fixture(autouse=True, scope="session")
def importable_tasksets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        path = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join([TASKSETS, *([path] if path else [])]))
        patch.syspath_prepend(TASKSETS)
        yield


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    """The folder of a tokenizer that verifiers' qwen3 renderer takes."""
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(folder)
    (folder / "config.json").write_text('{"model_type": "qwen3"}')
    return folder


@pytest.fixture
def engine(tokenizer):
    """reply -> the endpoint of an engine that gives it: `reply(prompt's text) -> text`."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def serve(reply, **options):
            server = TinyQwen(tokenizer, reply).server(model="tiny", **options)
            return stack.enter_context(server).base_url

        yield serve


@pytest.fixture
def make(tokenizer):
    """(endpoint, env) -> Rollouts of the tiny policy."""
    from inward_training import Rollouts

    def rollouts(endpoint, env=COPY_LETTER, **options):
        options = {"sampling": {"max_tokens": 4}, **options}
        return Rollouts(
            env, "tiny", endpoint, tokenizer=str(tokenizer), renderer={"name": "qwen3"}, **options
        )

    return rollouts
