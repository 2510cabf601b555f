"""Pictures of many callers embedded together, on a thread of its own.

While one batch is in work the next collects, so that nobody waits for company.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from inward_rewards.images.similarity.pixels import shuffled
from inward_rewards.sandbox import survives_forks

Vectors = npt.NDArray[np.float32]
"""(places, dimensions): of one picture, each row of length 1, or 0 where nothing is found."""
_Job = tuple[bytes, bool, Future[Vectors]]


class Batches:
    """Calls `embed` with up to `largest` pictures that wait. Usable from any thread."""

    def __init__(self, embed: Callable[[Sequence[bytes]], Sequence[Vectors]], largest: int) -> None:
        self._embed = embed
        self._largest = largest
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._waiting: deque[_Job] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embeddings")

    def submit(self, picture: bytes, *, mixed: bool = False) -> Future[Vectors]:
        """The vectors of a picture, or of its shuffled copy where `mixed`."""
        result: Future[Vectors] = Future()
        self._waiting.append((picture, mixed, result))
        self._thread.submit(self._next)
        return result

    def _next(self) -> None:
        """On the thread, once per picture: the first call of a batch leaves the others nothing."""
        batch: list[_Job] = []
        while self._waiting and len(batch) < self._largest:
            job = self._waiting.popleft()
            if job[-1].set_running_or_notify_cancel():
                batch.append(job)
        if not batch:
            return
        try:
            given = [shuffled(picture) if mixed else picture for picture, mixed, _ in batch]
            found = list(zip(batch, self._embed(given), strict=True))
        except BaseException as error:
            for *_, result in batch:
                result.set_exception(error)
            return
        for (*_, result), vectors in found:
            result.set_result(vectors)
