"""What can go wrong between a client and what measures for it."""


class HiddenStatesError(RuntimeError):
    """Hidden states could not be had: the machine's fault, never the policy's."""


class UnmeasurableError(HiddenStatesError):
    """What the policy wrote cannot be read here, as long as it is or with what it holds.

    The machine works and asking again is of no use: score the rollout without its entropy.
    """


class TryLaterError(HiddenStatesError):
    """Not now: the same request may be answered a moment later."""
