"""Everything that the plugin knows of vLLM's inside, one file per process.

- `names`: every name of vLLM's that is used, with its parameters; `search` looks for them.
- `front_end`: looks at each configuration that is made, and at each request that comes in.
- `scheduler`: a subclass of the scheduler, in the engine core's process.
- `worker`: a subclass of the worker, in each worker's process.
- `shared`: what more than one of them reads.

The front end names the two subclasses in the configuration, by vLLM's own options for that
(`worker_cls`, `scheduler_cls`). Four functions of vLLM's are wrapped: the making of the
configuration; once switched on, the input processor, which turns a bad request away with a 400;
the setting of the engine's weight version, where it has one, which is noted down; and the served
model's `load_weights`, whose calls are counted.

docs/entropy.md says which versions of vLLM were tried, and how.
"""

from inward_rewards.vllm_plugin.compat.front_end import watch_start_up

__all__ = ["watch_start_up"]
