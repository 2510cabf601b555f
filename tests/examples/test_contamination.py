"""The example of contamination, in miniature: random weights that learn four problems by heart."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="needs the groups models and train")

from rewards.vllm.tiny_models import make_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
OURS = ("contamination", "learning")


@pytest.fixture
def contamination(monkeypatch, tmp_path):
    pytest.importorskip("tqdm", reason="needs the group train")
    monkeypatch.syspath_prepend(EXAMPLES)
    import contamination

    folder = make_model("llama", tmp_path)
    made = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    changes = {"load": lambda top: made, "LONGEST": 400, "EPOCHS": 6, "RATE": 3e-3}
    for name, value in {**changes, "ANSWER_TOKENS": 6}.items():
        monkeypatch.setattr(contamination, name, value)
    yield contamination
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]


def run(contamination, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["contamination.py", *options])
    contamination.main()


def test_what_was_learnt_by_heart_is_told_by_its_perplexity(
    contamination, monkeypatch, tmp_path, capsys
):
    file = tmp_path / "found.json"
    run(contamination, monkeypatch, "--problems", "4", "--json", str(file))
    found = json.loads(file.read_text())
    first, *_, last = found["loss per epoch"]
    assert last < first - 1
    of = found["scores, seen first"]
    seen, unseen = of["fine-tuned"]["perplexity"][:4], of["fine-tuned"]["perplexity"][4:]
    assert min(seen) > max(unseen)
    assert all(len(values) == 8 for scores in of.values() for values in scores.values())
    assert "| perplexity | 1.00 [" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--problems", "1"), "two or more of each half can be compared"),
        (("--problems", "40"), "two halves and one problem more are 81: lower --problems"),
        (("--path", "absent.jsonl"), "cannot read 'absent.jsonl'"),
        (("--json", "absent/found.json"), "there is no folder 'absent'"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(
    contamination, monkeypatch, capsys, options, complaint
):
    with pytest.raises(SystemExit):
        run(contamination, monkeypatch, *options)
    assert complaint in capsys.readouterr().err
