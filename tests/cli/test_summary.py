"""The table, its JSON, and how failures are told."""

import io
import json
from pathlib import Path

import pytest
from cli import rollouts as make
from rich.console import Console

from inward import causes, runs
from inward.eval_plugin import EvalPlugin
from inward.summary import Played, as_json, summarise
from inward.table import below, print_summary, table

PYDANTIC = """\
malformed upstream response: ValidationError: 1 validation error for ChatCompletion
choices
  Field required [type=missing, input_value={'object': 'list'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.12/v/missing"""
TRACEBACK = """\
program exited 1: Traceback (most recent call last):
  File "x.py", line 3, in <module>
    main()
ValueError: the tokenizer has no chat template"""
PAGE = "upstream 502: <!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head>…"


def summary(folder, *episodes, plugin=None, model="m", played=None, torn=""):
    make.write(folder, *episodes, torn=torn)
    return summarise(
        runs.read(folder), plugin, environment="env", model=model, traces=Path("t.jsonl"),
        played=played or Played(len(episodes), 2.0),
    )  # fmt: skip


def text(found):
    console = Console(file=io.StringIO(), width=200)
    console.print(table(found))
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("message", "status", "line"),
    [
        ("upstream 404: no model 'x'", 404, "ProviderError: upstream 404: no model 'x'"),
        (
            PYDANTIC, 502,
            "ProviderError: malformed upstream response: ValidationError: 1 validation error for"
            " ChatCompletion choices Field required [type=missing,"
            " input_value={'object': 'list'}, input_type=dict]",
        ),
        (TRACEBACK, None, "ProviderError: program exited 1: ValueError: the tokenizer has no chat"
            " template"),
        (PAGE, 502, "ProviderError: an HTML page titled '502 Bad Gateway' with status 502 instead"
            " of a model's answer (upstream 502:)"),
        ("<html><body>it works", None, "ProviderError: an HTML page instead of a model's"
            " answer"),
        ("", None, "ProviderError"),
        ("a\x1b[31mb\nc", None, r"ProviderError: a\x1b[31mb c"),
    ],
)  # fmt: skip
def test_the_useful_line_of_an_error_whole(tmp_path, message, status, line):
    errors = [make.error("ProviderError", message, status)]
    make.write(tmp_path, make.episode(ok=False, errors=errors))
    assert causes.cause(runs.read(tmp_path).rollouts[0]) == line


@pytest.mark.parametrize("address", ["me:secret@10.0.0.1:8000/v1", "10.0.0.1:8000/v1?key=secret"])
def test_the_endpoint_at_fault_is_named_without_its_secrets(tmp_path, address):
    config = {"client": {"type": "eval", "base_url": f"http://{address}"}}
    errors = [make.error("ProviderError", "upstream 500: boom", 500)]
    make.write(tmp_path, make.episode(ok=False, errors=errors, config=config))
    found = causes.cause(runs.read(tmp_path).rollouts[0])
    assert found == "ProviderError of http://10.0.0.1:8000/v1: upstream 500: boom"


def test_failures_are_grouped_by_cause(tmp_path):
    messages = [
        "upstream 400: context of 8192 tokens, you sent 9301 (request req_011CSHoEeqs)",
        "upstream 400: context of 8192 tokens, you sent 12007 (request req_77aaQ2oEeqs)",
        "upstream 503: busy",
        "upstream 500: busy",
        "upstream 400: context of 8192 tokens, you sent 8800 (request req_99bb12oEeqs)",
    ]
    failed = [
        make.episode(n, ok=False, errors=[make.error("ProviderError", m)])
        for n, m in enumerate(messages)
    ]
    found = summary(tmp_path, *failed, make.episode(9, ok=False, traces=[]))
    assert found.causes == [
        (f"ProviderError: {messages[0]}", 3),
        ("ProviderError: upstream 503: busy", 1),
        ("ProviderError: upstream 500: busy", 1),
        (causes.UNFINISHED, 1),
    ]


@pytest.mark.parametrize(
    "name", ["[bold]", "org/model[v2]", "[/red]", "a[/]", ":smile:", "\x1b[1m"]
)
def test_what_a_user_or_a_model_wrote_is_never_markup(tmp_path, capsys, name):
    plugin = EvalPlugin(
        baselines={}, columns=[(name, lambda trace: 1.0)], notes=lambda traces: [name]
    )
    failed = make.episode(1, ok=False, errors=[make.error(name, name)])
    folder = tmp_path / name.replace("/", "-")
    print_summary(summary(folder, make.episode(), failed, plugin=plugin, model=name))
    out = capsys.readouterr().out
    shown = name.replace("\x1b", r"\x1b")
    assert out.count(shown) == 5
    assert "\x1b[1m" not in out.replace(shown, "")


def test_questions_of_one_cluster_count_once(tmp_path):
    episodes = [make.episode(n, reward=float(n < 18)) for n in range(36)]
    stories = EvalPlugin(
        baselines={}, columns=[("x", lambda t: t.reward)], cluster=lambda t: t.task.data.idx // 18
    )
    [apart] = summary(tmp_path / "a", *episodes).scores
    [together] = summary(tmp_path / "b", *episodes, plugin=stories).scores
    assert (apart.questions, apart.mean.clusters) == (36, 36)
    assert (together.questions, together.mean.clusters) == (36, 2)
    assert together.mean.low < 0.1 < 0.3 < apart.mean.low


def test_equal_values_have_no_interval_of_nothing(tmp_path):
    found = summary(tmp_path, *(make.episode(n, reward=0.0) for n in range(4)))
    assert "0.000 – 0.000" not in text(found)
    [score] = as_json(found, 0)["scores"]
    assert score["interval"][0] == 0
    assert score["interval"][1] > 0.4


def test_the_rate_counts_what_was_played_now(tmp_path):
    episodes = [make.episode(n) for n in range(10)]
    assert "2 rollouts/s" in text(summary(tmp_path, *episodes, played=Played(4, 2.0)))
    assert "none played now" in text(summary(tmp_path, *episodes, played=Played(0, 2.0)))


@pytest.mark.parametrize(
    ("tools", "calls", "told"),
    [(["search"], False, True), (["search"], True, False), ([], False, False)],
)
def test_a_run_in_which_no_rollout_called_a_tool_says_so(tmp_path, tools, calls, told):
    called = [{"id": "1", "name": "search", "arguments": "{}"}] if calls else None
    messages = [make.message("user", "Q"), make.message("assistant", "A", tool_calls=called)]
    silent, other = (make.episode(n, tools=tools, messages=m) for n, m in ((0, ()), (1, messages)))
    notes = summary(tmp_path, silent, other).notes
    assert ["No rollout called a tool, though search was offered in 2" in n for n in notes] == (
        [True] if told else []
    )


def test_a_failed_group_is_not_scored_and_each_of_its_rollouts_counts(tmp_path):
    good, bad = make.trace(0), make.trace(0, start=1.0, ok=False, errors=[make.error("E", "x")])
    found = summary(tmp_path, make.episode(traces=[good, bad], ok=False), make.episode(1))
    assert (found.scored, found.failed, found.causes) == (1, 2, [("E: x", 2)])


def test_the_json_says_what_the_table_says(tmp_path):
    errors = [make.error("ProviderError", "upstream 503: busy", 503)]
    found = summary(
        tmp_path, make.episode(0), make.episode(1, ok=False, errors=errors), torn="{", model="[m]"
    )
    document = json.loads(json.dumps(as_json(found, 1), allow_nan=False))
    assert document["rollouts"] == {"scored": 1, "failed": 1, "unreadable": 1, "played_now": 2}
    assert document["failures"] == [{"cause": "ProviderError: upstream 503: busy", "count": 1}]
    assert (document["environment"], document["model"], document["status"]) == ("env", "[m]", 1)
    assert document["scores"][0]["label"] == "reward"
    assert set(document["versions"]) == {"inward", "verifiers"}
    assert any("1 unreadable in t.jsonl (line 3)" in line for line in below(found))
