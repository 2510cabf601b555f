"""On a path before a vLLM process starts: what runs on GPUs by default runs on a CPU.

vLLM's V2 model runner needs Triton, whose kernels run here in its interpreter; and the CPU
platform's "no async scheduling" is undone. Slow, and otherwise the real thing.
"""

import importlib.abc
import importlib.util
import os
import sys
from types import SimpleNamespace

os.environ["TRITON_INTERPRET"] = "1"


class AsyncScheduling(importlib.abc.MetaPathFinder):
    """Changes the CPU platform when it is imported."""

    def find_spec(self, name, path, target=None):
        if name != "vllm.platforms.cpu":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            check = module.CpuPlatform.check_and_update_config.__func__

            def check_and_update_config(cls, config):
                check(cls, config)
                config.scheduler_config.async_scheduling = True

            module.CpuPlatform.check_and_update_config = classmethod(check_and_update_config)

        spec.loader.exec_module = exec_module
        return spec


if importlib.util.find_spec("triton"):
    from triton.backends import backends

    driver = SimpleNamespace(is_active=lambda: True)
    backends["cpu"] = SimpleNamespace(driver=driver, compiler=None)
    sys.meta_path.insert(0, AsyncScheduling())
