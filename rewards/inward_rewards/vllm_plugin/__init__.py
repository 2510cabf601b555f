"""vLLM plugin: matrix entropy of the served policy's own hidden states, in the normal response.

Off until the server is started with `--additional-config '{"inward": {"layers": "middle:10"}}'`.
The request and its answer are those of `inward_rewards.entropy.wire`; docs/entropy.md tells how
it works. Each of vLLM's processes has its part here: `front_end` judges servers and requests,
`scheduler` admits requests and holds their answers, `worker` copies hidden states into the
`buffer` and scores them. Only `compat` touches vLLM.
"""

from __future__ import annotations


def register() -> None:
    """Entry point `vllm.general_plugins`; vLLM calls it in each of its processes."""
    from inward_rewards.vllm_plugin import compat

    compat.watch_start_up()
