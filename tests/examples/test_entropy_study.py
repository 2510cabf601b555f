"""The example that compares the entropy of completions, in miniature: on random weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models
pytest.importorskip("torch", reason="needs the groups models and train")

from rewards.vllm.tiny_models import make_model  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
OURS = ("entropy_study", "learning")


@pytest.fixture
def study(monkeypatch):
    pytest.importorskip("tqdm", reason="needs the group train")
    monkeypatch.syspath_prepend(EXAMPLES)
    import entropy_study

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["entropy_study.py", *map(str, options)])
        entropy_study.main()

    yield run
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]


def test_completions_are_compared_by_any_model(study, tmp_path, capsys):
    model, file = make_model("llama", tmp_path, num_hidden_layers=12), tmp_path / "found.json"
    study("--model", model, "--problems", 3, "--json", file)
    found = json.loads(file.read_text())
    assert found["model"] == model.name
    assert found["problems"] == 3
    against = found["right against"]["advent, not divided"]
    # One word, over and over, is told from a solution even by random weights.
    assert against["repeated"]["auc"][0] == 1
    # Three problems are no certainty.
    assert against["repeated"]["auc"][1] < 0.8
    assert found["right against"]["tokens alone"]["padded"]["paired"][0] == 0
    out = capsys.readouterr().out
    assert f"{model.name}, 3 problems" in out
    assert "| advent, residual | " in out


def test_a_folder_without_a_model_is_told(study, tmp_path, capsys):
    with pytest.raises(SystemExit):
        study("--model", tmp_path)
    assert f"--model {tmp_path}: no config.json there" in capsys.readouterr().err
