"""Tensor parallelism: the part of the output layer that a worker's rank has."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from inward_rewards.vllm_plugin.compat.names import WORKER
from inward_rewards.vllm_plugin.compat.search import check_object, touch


class VocabularyParts:
    """This rank's part of the output layer, and the store by which ranks tell of theirs."""

    def __init__(self, worker: Any, group: Any) -> None:
        from vllm.model_executor.layers.logits_processor import LogitsProcessor

        from inward_rewards.vllm_plugin.ranks import join_store, open_store

        self.rank, self.ranks = group.rank_in_group, group.world_size
        # Where the engine's own ranks met: at an address or, all on one machine, in a file.
        host = urlsplit(worker.distributed_init_method).hostname or "127.0.0.1"
        if self.rank == 0:
            self.store, port = open_store(host)
            self.sweeper = join_store(host, port)
            group.broadcast_object(port)
        else:
            self.store = join_store(host, group.broadcast_object(None))
        self._model, self._here = worker.get_model(), threading.local()
        layers = [part for part in self._model.modules() if isinstance(part, LogitsProcessor)]
        if len(layers) != 1:
            raise ValueError(
                f"inward: with tensor parallelism token_entropy and self_certainty need a model "
                f"with one output layer, and {type(self._model).__name__} has {len(layers)}; leave "
                'them out of "measures"'
            )
        [processor] = layers
        check_object(WORKER.name, touch(WORKER, "LogitsProcessor"), processor)
        self.vocabulary: int = processor.org_vocab_size
        self._gather = processor._gather_logits
        processor._gather_logits = self._stay

    def logits(self, final_states: Any) -> Any:
        """Final states [tokens, dim] -> [tokens, columns of this rank], made by it alone."""
        self._here.alone = True
        try:
            return self._model.compute_logits(final_states)
        finally:
            self._here.alone = False

    def _stay(self, logits: Any) -> Any:
        if not getattr(self._here, "alone", False):
            return self._gather(logits)
        # The last ranks' columns go on behind the vocabulary.
        columns = logits.shape[-1]
        return logits[..., : max(0, min(columns, self.vocabulary - self.rank * columns))]
