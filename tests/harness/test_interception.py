"""What a refused or lost call says: who was asked, and where."""

import re

import pytest
from inward_chat.connections import http_client
from inward_chat.errors import CallRefusedError, InterceptionLostError
from inward_chat.interception import ModelClient, ToolGate, post
from inward_chat.testing import HttpReply, PolicyServer

ENDPOINT = "https://me:secret@models.example:8000/v1?key=secret"
SERVER = r"the interception server at 127\.0\.0\.1:\d+"
MODEL_CALL = rf"^the model call \(endpoint https://models\.example:8000/v1, through {SERVER}\)"


def refuse(body):
    return HttpReply(404, {"error": {"message": "upstream 404: no such model"}})


async def test_a_refused_model_call_names_the_models_endpoint_without_secrets():
    with PolicyServer(refuse) as server:
        client = ModelClient(await http_client(), server.base_url, "s", "m", [], ENDPOINT)
        with pytest.raises(CallRefusedError) as raised:
            await client.complete([])
    assert re.search(
        MODEL_CALL + r" was answered with HTTP 404: .*upstream 404: no such model",
        str(raised.value),
    )
    assert "secret" not in str(raised.value)
    assert raised.value.status == 404


async def test_a_refused_tool_call_names_the_tool():
    with PolicyServer(refuse, posts={"/tools": refuse}) as server:
        gate = ToolGate(await http_client(), server.base_url.replace("/v1", "/tools"), "s")
        with pytest.raises(CallRefusedError) as raised:
            await gate.denial("1", "search", {})
    assert re.search(
        rf"^whether tool 'search' may run, asked of {SERVER}, was answered with HTTP 404",
        str(raised.value),
    )


async def test_a_lost_call_says_which(unused_tcp_port):
    with pytest.raises(InterceptionLostError, match=r"^the call failed: ClientConnectorError: "):
        await post(await http_client(), f"http://127.0.0.1:{unused_tcp_port}", b"", {}, "the call")
