"""A tool server ends with the worker that started it, however that ended.

verifiers asks Linux to kill its servers with their parent, but only once a server has imported
everything: one whose worker is killed in those seconds is never told, and other systems have no
such request. So the worker leaves its process id in the environment, and the server watches.
"""

from __future__ import annotations

import os
import threading
import time

WORKER = "INWARD_WORKER_PID"
"""Set by a worker for the servers that it starts on its own machine: a container gets no copy."""
WATCH_S = 0.5


def mark_worker() -> None:
    """Call in the worker, before it starts a server."""
    os.environ[WORKER] = str(os.getpid())


def end_with_worker() -> None:
    """Call in a server, once: from now on the process ends when its worker is gone."""
    if WORKER in os.environ:
        watch = (int(os.environ[WORKER]), os.getppid())
        threading.Thread(target=_watch, args=watch, name="orphans", daemon=True).start()


def _watch(worker: int, parent: int) -> None:
    # The parent is given up at the worker's death, at once, but may have been before we looked;
    # the worker's id is given up when it has been waited for.
    while os.getppid() == parent and _exists(worker):
        time.sleep(WATCH_S)
    # Not an exception, and no signal: the event loop may be busy, or not yet running.
    os._exit(1)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
