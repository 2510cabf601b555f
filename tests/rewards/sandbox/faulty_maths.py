"""The maths worker, with answers that are faults."""

from inward_rewards.maths import worker
from inward_rewards.maths.worker import prepare, start
from rewards.sandbox.faults import act

__all__ = ["answer", "prepare", "start"]


def answer(header, blobs):
    act(header["answer"])
    return worker.answer(header, blobs)
