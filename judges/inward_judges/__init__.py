"""What the judges share: a server that is asked by its own wire format."""

from inward_judges.server import JudgeServer

__all__ = ["JudgeServer"]
