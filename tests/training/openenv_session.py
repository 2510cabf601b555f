"""Run by test_openenv.py in a virtual environment of its own: OpenEnv's client against its server.

The last line of its output is JSON.
"""

import json
import socket
import sys
import threading

import uvicorn
from inward_training.openenv import exported
from openenv.core.generic_client import GenericEnvClient


def played(env, script, **options):
    """`script(client)` with OpenEnv's own client of a server over `env`."""
    with exported(env, **options) as app, socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with GenericEnvClient(base_url=url).sync() as client:
                return script(client)
        finally:
            server.should_exit = True
            thread.join()


def seen(result):
    return [result.observation["text"], result.reward, result.done]


def refused(call, *args, **options):
    try:
        call(*args, **options)
    except Exception as error:
        return str(error)
    return "nothing was raised"


def letters(client):
    found = {}
    found["reset"] = seen(client.reset(index=1))
    found["right"] = seen(client.step({"text": "b"}))
    found["over"] = refused(client.step, {"text": "b"})
    found["by seed"] = seen(client.reset(seed=10))
    found["wrong"] = seen(client.step({"text": "x"}))
    client.reset(index=0)
    found["no tool"] = seen(client.step({"tool": "_abandon"}))
    found["failed"] = refused(client.step, {"text": "fault"})
    client.reset(index=0)
    found["no task"] = refused(client.reset, index=8)
    found["after no task"] = refused(client.step, {"text": "b"})
    return found


def notes(client):
    """Three turns, of which the last tool call is one too many."""
    tools = [tool["name"] for tool in client.reset(index=3).observation["tools"]]
    call = {"tool": tools[0], "arguments": {"word": "oak"}}
    return {
        "tools": tools,
        "noted": seen(client.step(call)),
        "broken": seen(client.step({"tool": tools[0], "arguments": {"wort": "oak"}})),
        "last": seen(client.step(call)),
    }


report = {
    "letters": played({"taskset": {"id": "copy-letter"}}, letters),
    "notes": played({"taskset": {"id": "counting"}}, notes, tasks=4),
}
sys.stdout.write(json.dumps(report) + "\n")
