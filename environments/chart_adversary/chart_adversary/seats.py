"""The two seats' settings: verifiers' own class of them where it is installed, else its equal.

prime-rl's `hierarchical_grpo` takes the config of an environment only where it is a subclass of
`proposer_solver.ProposerSolverEnvConfig`. That package lies in verifiers' repository and comes with
a checkout of prime-rl; it is on no package index, so that it cannot be required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import verifiers.v1 as vf
from pydantic import Field


class Seats(vf.EnvConfig):
    """Field by field verifiers' `ProposerSolverEnvConfig`."""

    proposer: vf.AgentConfig = vf.AgentConfig()
    solver: vf.AgentConfig = vf.AgentConfig()
    n: int = Field(4, ge=1)
    train_proposer: bool = True
    train_solver: bool = True


if TYPE_CHECKING:
    ProposerSolver = Seats
else:
    try:
        from proposer_solver import ProposerSolverEnvConfig as ProposerSolver
    except ModuleNotFoundError as error:
        if error.name != "proposer_solver":
            raise
        ProposerSolver = Seats
