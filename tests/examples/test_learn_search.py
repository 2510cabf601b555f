"""The search game of `examples/learn.py`: its stories, and what its warm-up imitates."""

import re
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the groups models and train")

from inward_training import Blocking, Rollouts
from rewards.tiny_qwen import TinyQwen, train_tokenizer

pytestmark = pytest.mark.models
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def learning(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import learning.report
    import learning.search

    yield learning
    for name in [name for name in sys.modules if name.split(".")[0] == "learning"]:
        del sys.modules[name]


def test_each_story_answers_its_question_in_one_sentence(learning):
    rows = learning.search.rows(seed=0, count=400)
    assert len({row["article"] for row in rows}) == 400
    gold = [row["questions"][0]["gold_label"] for row in rows]
    assert max(map(gold.count, (1, 2, 3, 4))) < 0.35 * 400
    for row in rows:
        [question] = row["questions"]
        who, what = re.fullmatch(r"Where did (\w+) put the (\w+)\?", question["question"]).groups()
        [place] = re.findall(rf"{who} put the {what} in the (\w+)\.", row["article"])
        assert question["options"][question["gold_label"] - 1] == place
        assert row["article"].count(who) == row["article"].count(f" {what} ") == 3


def test_the_warm_up_imitates_what_the_train_client_would_make_of_the_same_rollouts(
    learning, tmp_path
):
    tokenizer = train_tokenizer(tmp_path)
    file = tmp_path / "warm.jsonl"
    learning.report.write_rows(file, learning.search.rows(seed=0, count=7))
    shown = learning.search.demonstrations(tokenizer, file)

    def reply(prompt):
        """As the demonstration of this prompt goes on."""
        [text] = [
            text[len(prompt) :]
            for ids, written, _ in shown
            if (text := tokenizer.decode([*ids, *written])).startswith(prompt)
        ]
        return text.partition("<|im_end|>")[0]

    with ExitStack() as stack:
        server = stack.enter_context(TinyQwen(tmp_path, reply).server(model="tiny"))
        rollouts = stack.enter_context(
            Blocking(
                lambda: Rollouts(
                    learning.search.env(file),
                    "tiny",
                    server.base_url,
                    tokenizer=str(tmp_path),
                    renderer=learning.search.RENDERER,
                    sampling={"max_tokens": 99},
                )
            )
        )
        groups = rollouts.play(range(7))
    for (prompt, written, weights), group in zip(shown, groups, strict=True):
        [sample] = group.samples
        assert sample.prompt_ids == tuple(prompt)
        assert sample.completion_ids == tuple(written)
        assert [float(own) for own in sample.loss_mask] == weights
    assert [group.samples[0].metrics["searches"] for group in groups] == [1, 0, 0, 0, 0, 0, 1]
    # The first search of the baseline finds the sentence.
    assert [group.samples[0].reward for group in groups[::6]] == [1, 1]
