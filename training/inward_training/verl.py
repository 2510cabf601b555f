"""verl's trainer on any verifiers v1 environment, through its `AgentLoopBase` (verl 0.9).

`actor_rollout_ref.rollout.agent.agent_loop_config_path` names a file with

    - name: inward
      _target_: inward_training.verl.InwardLoop
      url: http://127.0.0.1:8765

and beside it stand `agent.default_agent_loop=inward` and `agent.num_workers=1`.

The rollouts are played by `inward serve-rollouts`, over the engine that samples from the trainer's
weights. That server's sampling counts: verl's `sampling_params` are not read, so give both the same
temperature. verl tells an agent loop nothing of the trainer's step: `weights` of samples stays 0.

verl runs a loop for each of the repeated prompts and compares those. Environments that play a group
in each episode, rollouts of several branches, and pictures are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

try:
    from verl.experimental.agent_loop.agent_loop import (
        AgentLoopBase,
        AgentLoopMetrics,
        AgentLoopOutput,
    )
except ModuleNotFoundError as error:
    raise ImportError(
        f"inward_training.verl needs {error.name}:"
        ' pip install "verl[verl-core]>=0.9" inward-training'
    ) from error

from inward_training.blocking import Blocking, in_order
from inward_training.errors import RolloutsError
from inward_training.remote import RemoteRollouts
from inward_training.sequences import Row, as_messages, rows, turns

if TYPE_CHECKING:
    from datasets import Dataset

NAME = "inward"


class InwardLoop(AgentLoopBase):  # type: ignore[misc]
    """A rollout of `inward serve-rollouts`, of the task that `dataset` named."""

    def __init__(self, *args: Any, url: str, **kwargs: Any) -> None:
        """`url`: what `inward serve-rollouts` printed, such as `http://127.0.0.1:8765`."""
        super().__init__(*args, **kwargs)
        self.url = url

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> AgentLoopOutput:
        """The rollout of the row's task. A completion above `rollout.response_length` tokens is cut
        there, as verl's own loops do; a failed rollout becomes what `rows` says.

        Raises:
            RolloutsError: the server fails, all rollouts of a task failed, the prompt is longer
                than `rollout.prompt_length`, they are of a kind that verl cannot take, or there are
                several agent workers, of which the server would refuse all but one.
        """
        # Not in __init__, whose errors hydra wraps.
        workers = self.rollout_config.agent.num_workers
        if workers != 1:
            raise RolloutsError(
                f"rollout.agent.num_workers is {workers}, and serve-rollouts plays for one at a"
                " time: say actor_rollout_ref.rollout.agent.num_workers=1, which only waits"
            )
        row = await _plays(self.url).row(_task(kwargs))
        longest = self.rollout_config.prompt_length
        if len(row.prompt_ids) > longest:
            raise RolloutsError(
                f"a prompt has {len(row.prompt_ids)} tokens and rollout.prompt_length is {longest}:"
                " raise data.max_prompt_length"
            )
        kept = slice(self.rollout_config.response_length)
        return AgentLoopOutput(
            prompt_ids=row.prompt_ids,
            response_ids=row.completion_ids[kept],
            response_mask=row.mask[kept],
            response_logprobs=row.logprobs[kept],
            reward_score=row.reward,
            # What is read and what is said, as verl's own loops count.
            num_turns=2 * len(turns(row.sample)) if row.sample else 0,
            metrics=AgentLoopMetrics(),
            extra_fields={"turn_scores": [], "tool_rewards": []},
        )


def dataset(rollouts: Blocking, tasks: int | None = None) -> Dataset:
    """One row per task for `data.train_files`, by `dataset(…).to_parquet("tasks.parquet")`. Its
    prompt only names the task: the environment has the real one. `tasks` and errors as those of
    `sequences.task_count`.
    """
    from datasets import Dataset

    return Dataset.from_list(
        [
            {
                "prompt": prompt,
                "data_source": rollouts.environment,
                "agent_name": NAME,
                "extra_info": {"index": index},
            }
            for index, prompt in as_messages(rollouts, tasks)
        ]
    )


def _task(fields: Mapping[str, Any]) -> int:
    # Not the field `index` beside it: verl writes 0 there where the data says nothing.
    index = (fields.get("extra_info") or {}).get("index")
    if not isinstance(index, int):
        raise RolloutsError(
            f"a row of the data names no task (its extra_info.index is {index!r}): write the data"
            " with inward_training.verl.dataset"
        )
    return index


class _Plays:
    """The rollouts that loops ask for, one play at a time for all that wait."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._waiting: list[tuple[int, asyncio.Future[Row]]] = []
        self._playing: asyncio.Task[None] | None = None

    async def row(self, task: int) -> Row:
        answer: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        self._waiting.append((task, answer))
        if self._playing is None:
            # It begins behind the loops of this batch, which are all on their way already.
            self._playing = asyncio.create_task(self._play())
        return await answer

    async def _play(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                await self._answer(asked)
        finally:
            self._playing = None

    async def _answer(self, asked: Sequence[tuple[int, asyncio.Future[Row]]]) -> None:
        try:
            async with RemoteRollouts(self.url) as rollouts:
                groups = await in_order(rollouts, [task for task, _ in asked])
            found = rows(groups, "verl")
        except Exception as error:
            # To those who asked: each of them raises it.
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), row in zip(asked, found, strict=True):
            if not answer.done():
                answer.set_result(row)


_PLAYS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Plays]] = WeakKeyDictionary()


def _plays(url: str) -> _Plays:
    """Those of this event loop: verl makes a loop object for each rollout."""
    of_loop = _PLAYS.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault(url, _Plays(url))
