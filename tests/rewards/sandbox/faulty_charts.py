"""The charts' worker, with specifications that are faults."""

import json

from inward_rewards.charts import worker
from inward_rewards.charts.worker import prepare, start
from rewards.sandbox.faults import act

__all__ = ["answer", "prepare", "start"]


def answer(header, blobs):
    act(str(json.loads(header["spec"]).get("title")))
    return worker.answer(header, blobs)
