"""What the in-process sources read: the layers that are asked for, and a common prefix once."""

import threading

import pytest
from inward_rewards.hidden_states import EntropyConfig

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

import transformers  # noqa: E402
from inward_rewards.entropy import PRESETS, matrix_entropy  # noqa: E402
from inward_rewards.hidden_states.reader import SHARED, ModelReader  # noqa: E402

DEPTH = 6
SIZES = {
    "vocab_size": 100,
    "hidden_size": 48,
    "intermediate_size": 64,
    "max_position_embeddings": 256,
}
HEADS = {"num_hidden_layers": DEPTH, "num_attention_heads": 4, "num_key_value_heads": 2}
ENDS = {"bos_token_id": None, "eos_token_id": 1, "pad_token_id": None, "initializer_range": 0.2}


def make(kind, **more):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**SIZES, **HEADS, **ENDS, **more)
    return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


def jobs(prompt=40, rollouts=5, seed=0):
    """Siblings behind one prompt, each scored from its first token on."""
    generator = torch.Generator().manual_seed(seed)

    def ids(count):
        return torch.randint(2, 100, (count,), generator=generator).tolist()

    first = ids(prompt)
    found = [tuple(first + ids(4 + 7 * number)) for number in range(rollouts)]
    return [(one, (prompt, len(one))) for one in found]


def reader(model, layers):
    config = EntropyConfig(source="live", layers=layers)
    return ModelReader(model, config, "tiny")


def expected(model, pairs, layers):
    """By one whole pass of each sequence alone."""
    found = []
    for ids, (start, stop) in pairs:
        with torch.no_grad():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        chosen = torch.stack([states[layer][0, start:stop] for layer in layers])
        found.append(matrix_entropy(chosen, 1.0, PRESETS["advent"].unscaled).tolist())
    return found


@pytest.fixture
def tokens_read():
    """Tokens that each layer of a model has worked on, padding too."""

    def watch(model):
        counts = [0] * DEPTH
        for number, layer in enumerate(model.model.layers):

            def count(_, given, number=number):
                counts[number] += given[0].shape[0] * given[0].shape[1]

            layer.input_layernorm.register_forward_pre_hook(count)
        return counts

    return watch


@pytest.mark.parametrize("kind", ["Llama", "Qwen3", "Mistral"])
@pytest.mark.parametrize(
    ("layers", "run"), [([2, 3], 3), ([0], 0), ([DEPTH - 1], DEPTH - 1), ([1, DEPTH], DEPTH)]
)
def test_layers_above_those_that_are_read_do_not_run(tokens_read, kind, layers, run):
    more = {"sliding_window": None} if kind == "Mistral" else {}
    model = make(kind, **more)
    pairs = jobs()
    wanted = expected(model, pairs, layers)
    counts = tokens_read(model)
    found = reader(model, layers).score(pairs)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, abs=2e-5)
    longest = max(len(ids) for ids, _ in pairs)
    assert counts == [40 + 5 * (longest - 40)] * run + [0] * (DEPTH - run)
    assert len(model.model.layers) == DEPTH


@pytest.mark.parametrize(
    ("pairs", "read"),
    [
        pytest.param(jobs(rollouts=1), 44, id="one alone"),
        pytest.param(jobs(SHARED - 1), 5 * (SHARED + 31), id="too short a prefix"),
        pytest.param(
            [(ids, (0, len(ids))) for ids, _ in jobs()], 5 * 72, id="the prefix is scored"
        ),
        pytest.param(jobs(20, 2) + jobs(20, 2, seed=1), 4 * 31, id="behind different prompts"),
    ],
)
def test_nothing_is_shared_where_nothing_can_be(tokens_read, pairs, read):
    model = make("Qwen3")
    wanted = expected(model, pairs, [2])
    counts = tokens_read(model)
    found = reader(model, [2]).score(pairs)
    assert [one[0] for one in found] == pytest.approx([one for [one] in wanted], abs=2e-5)
    assert counts[0] == read


def test_layers_that_forget_read_each_sequence_whole(tokens_read):
    model = make("Mistral", sliding_window=8)
    pairs = jobs()
    wanted = expected(model, pairs, [3])
    counts = tokens_read(model)
    found = reader(model, [3]).score(pairs)
    assert [one[0] for one in found] == pytest.approx([one for [one] in wanted], abs=2e-5)
    assert counts[0] == 5 * 72


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Gemma", {"use_bidirectional_attention": True, "head_dim": 12}),
        (
            "Llama",
            {
                "rope_parameters": {
                    "rope_type": "longrope",
                    "rope_theta": 1e4,
                    "original_max_position_embeddings": 60,
                    "short_factor": [1.0] * 6,
                    "long_factor": [4.0] * 6,
                }
            },
        ),
    ],
)
def test_no_prefix_is_shared_that_what_follows_would_change(kind, more):
    model = make(kind, **more)
    pairs = jobs()[-1:] * 2
    found = reader(model, [3]).score(pairs)
    assert [one[0] for one in found] == pytest.approx(
        [one for [one] in expected(model, pairs, [3])], abs=2e-5
    )


@pytest.mark.parametrize("how", ["compiled", "router_logits"])
def test_where_a_pass_must_not_end_early_it_is_whole(tokens_read, how):
    model = make("Llama")
    if how == "compiled":
        model.model.compile(backend="eager")
    else:
        model.config.output_router_logits = True
    pairs = jobs()
    wanted = expected(model, pairs, [2])
    counts = tokens_read(model)
    found = reader(model, [2]).score(pairs)
    assert [one[0] for one in found] == pytest.approx([one for [one] in wanted], abs=2e-5)
    assert how == "compiled" or counts[-1] == counts[0]


def test_another_thread_that_runs_the_module_gets_all_of_it(monkeypatch):
    model, pairs = make("Llama"), jobs()
    of, whole = reader(model, [1, 3]), []
    run = model.model.layers[1].forward

    def beside():
        with torch.no_grad():
            whole.append(model(torch.tensor([[3, 4, 5]])).logits)

    def meanwhile(*args, **named):
        monkeypatch.undo()
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
        return run(*args, **named)

    wanted = expected(model, pairs, [1, 3])
    monkeypatch.setattr(model.model.layers[1], "forward", meanwhile)
    found = of.score(pairs)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, abs=2e-5)
    assert whole[0].shape == (1, 3, 100)


def test_what_trains_is_as_it_was_afterwards():
    model = make("Llama").train()
    of = reader(model, [2])
    first, second = of.score(jobs()), of.score(jobs())
    assert first == second
    for layer in model.model.layers:
        assert not layer._forward_pre_hooks
        assert not layer._forward_hooks
    assert model.training
    model(torch.tensor([[3, 4, 5]]), labels=torch.tensor([[3, 4, 5]])).loss.backward()
    assert all(one.grad is not None for one in model.model.layers.parameters())
