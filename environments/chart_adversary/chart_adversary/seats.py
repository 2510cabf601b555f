"""The base of the two seats' settings: verifiers' own class of them where it is installed.

prime-rl's `hierarchical_grpo` takes the config of an environment only where it is a subclass of
`proposer_solver.ProposerSolverEnvConfig`. That package lies in verifiers' repository and comes with
a checkout of prime-rl; it is on no package index, so that it cannot be required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import verifiers.v1 as vf

if TYPE_CHECKING:
    ProposerSolver = vf.EnvConfig
else:
    try:
        from proposer_solver import ProposerSolverEnvConfig as ProposerSolver
    except ModuleNotFoundError as error:
        if error.name != "proposer_solver":
            raise
        # `ChartAdversaryEnvConfig` has the same fields itself.
        ProposerSolver = vf.EnvConfig
