"""An env server that survives its workers: verifiers' own protocol, under a watch.

    await Broker(env, "tcp://127.0.0.1:5000", workers=4).run()

verifiers' `EnvClient`, and so prime-rl, speaks to it as to verifiers' own server. Needs
`inward-training[rollouts]`.
"""

from inward_training.env_server.broker import HUNG_S, MAX_CONCURRENT, SILENCE_S, Broker

__all__ = ["HUNG_S", "MAX_CONCURRENT", "SILENCE_S", "Broker"]
