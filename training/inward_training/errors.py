"""Faults of the machine, as the bridge names them."""


class RolloutsError(RuntimeError):
    """Rollouts cannot be played: the server, the engine or the set-up; never the policy's fault."""
