"""Which servers cannot score, what they are told at start-up, and which requests are refused."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest
from inward_rewards.vllm_plugin.front_end import (
    KVTransfer,
    Prompt,
    Server,
    check_prompt,
    notices,
    refusals,
)
from inward_rewards.vllm_plugin.settings import Settings

PLAIN = Server(max_model_len=500)
SETTINGS = Settings((1,), 4, buffer_tokens=500)


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({}, None),
        ({"speculation": "ngram"}, None),
        ({"speculation": "suffix"}, None),
        ({"runner_type": "pooling"}, "of a 'pooling' model: serve one that generates"),
        ({"speculation": "eagle3"}, "beside 'eagle3' speculation, .* with ngram or suffix"),
        ({"rust_front_end": True}, "unset VLLM_USE_RUST_FRONTEND"),
        ({"pipeline_parallel_size": 2}, "--pipeline-parallel-size 2: .* use tensor parallelism"),
        ({"prefill_context_parallel_size": 2}, "no worker sees all tokens"),
        ({"dual_batch_overlap": True}, "start without --enable-dbo"),
    ],
)
def test_servers_that_cannot_score(flags, complaint):
    found = list(refusals(dataclasses.replace(PLAIN, **flags), SETTINGS))
    assert len(found) == (complaint is not None)
    for refusal in found:
        assert re.search(complaint, refusal)
        assert "\n" not in refusal


def test_servers_that_cannot_read_logits():
    server = dataclasses.replace(PLAIN, lora=True)
    complaint = "with --enable-lora, since adapters may change the output matrix; leave"
    assert list(refusals(server, SETTINGS)) == []
    for measure in ("token_entropy", "self_certainty"):
        [refusal] = refusals(server, dataclasses.replace(SETTINGS, measures=(measure,)))
        assert complaint in refusal
    assert list(refusals(PLAIN, dataclasses.replace(SETTINGS, measures=(measure,)))) == []


@pytest.mark.parametrize(
    ("transfer", "told"),
    [
        (None, False),
        (KVTransfer("ExampleConnector", "kv_both"), False),
        (KVTransfer("LMCacheConnectorV1", "kv_both"), False),
        (KVTransfer("MultiConnector", "kv_both", ("OffloadingConnector",)), False),
        (KVTransfer("NixlConnector", "kv_both"), True),
        (KVTransfer("MultiConnector", "kv_both", ("OffloadingConnector", "NixlConnector")), True),
        (KVTransfer("LMCacheConnectorV1", "kv_producer"), True),
        (KVTransfer("P2pNcclConnector", "kv_consumer"), True),
    ],
)
def test_a_prefill_decode_split_is_told_at_start_up(transfer, told):
    found = list(notices(dataclasses.replace(PLAIN, kv_transfer=transfer), SETTINGS))
    assert len(found) == told
    for notice in found:
        assert "scores need the url of a plain engine (entropy.url)" in notice
        assert "\n" not in notice


def test_a_buffer_below_the_context_is_told_at_start_up():
    [notice] = notices(Server(max_model_len=501), SETTINGS)
    assert "completions of more than 500 tokens (buffer_tokens) are not measured" in notice


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"token_ids": None}, "a prompt of embeddings cannot be scored; send token ids"),
        ({"n": 2}, "n must be 1 in a request that asks for a score, got 2"),
        ({"streams": True}, "leave stream out"),
        ({"xargs": {"inward": [0, 9]}}, r"span \[0, 9\) is empty or leaves the prompt's 4 tokens"),
        ({"token_ids": [5, 9, 6, 7]}, "1 placeholder tokens of pictures or sounds without"),
        ({"pictures": ((1, 2),)}, "cannot be scored in a prompt with pictures"),
    ],
)
def test_requests_that_cannot_be_scored(asked, complaint):
    model = SimpleNamespace(
        image_token_id=9, vision_config=SimpleNamespace(deepstack_visual_indexes=[8])
    )
    good = Prompt({"inward": [0, 4]}, [5, 4, 6, 7])
    check_prompt(good, SETTINGS, model)
    with pytest.raises(ValueError, match=complaint):
        check_prompt(dataclasses.replace(good, **asked), SETTINGS, model)
