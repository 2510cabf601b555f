"""Rollouts of any verifiers v1 environment, played in this process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

try:
    import renderers.client
    import verifiers.v1 as vf
except ModuleNotFoundError as error:
    raise ImportError(
        'Rollouts plays through verifiers: pip install "inward-training[rollouts]",'
        " or ask a server with RemoteRollouts"
    ) from error

from inward_training.env_server.client import Served
from inward_training.episodes import AnyEpisode, AnyTask, Played, as_group
from inward_training.samples import Failure, Group


class Rollouts:
    """An environment, played by the policy behind an endpoint, as groups of samples.

    An async context: it holds the environment's servers. One at a time plays, on one event loop.
    """

    def __init__(
        self,
        env: vf.EnvConfig | Mapping[str, Any],
        model: str,
        endpoint: str | vf.TrainClientConfig,
        *,
        tokenizer: str | None = None,
        renderer: Mapping[str, Any] | None = None,
        sampling: Mapping[str, Any] | None = None,
        max_concurrent: int = 64,
        api_key_var: str = "INWARD_API_KEY",
        server: str | None = None,
        live: object | None = None,
    ) -> None:
        """
        Args:
            env: the table `[env]` of a config: `{"taskset": {"id": "quality-rag"}, …}`.
            model: the name that the engine serves the policy under.
            endpoint: its address up to `/v1`; it must serve `POST /inference/v1/generate` beside.
                Or verifiers' whole client config, and none of the arguments that follow from it.
            tokenizer: id or folder of the policy's tokenizer; `model` where left out.
            renderer: verifiers' renderer, such as `{"name": "qwen3"}`: the one of the tokenizer's
                model where left out. With tools, name it: the fallback parses no tool calls and
                makes a branch of every turn.
            sampling: verifiers' `SamplingConfig`: temperature, max_tokens, …
            max_concurrent: episodes that play at the same time.
            api_key_var: the environment variable that holds the endpoint's key, if it wants one.
            server: the address of an env server of the same env (`inward serve`), which then plays
                the episodes; `endpoint` is as it reaches the engine.
            live: what the environment's own `use` takes: for an entropy bonus a source of hidden
                states over the module that is trained (`inward_rewards`' LiveModelSource).

        Raises:
            ValueError: settings that do not go together.
        """
        config = env if isinstance(env, vf.EnvConfig) else vf.resolve_env_config(dict(env))
        if isinstance(endpoint, str):
            client: dict[str, Any] = {
                "base_url": endpoint,
                "api_key_var": api_key_var,
                "renderer_model_name": tokenizer or model,
                **({} if renderer is None else {"renderer": dict(renderer)}),
            }
            config_of_client = vf.TrainClientConfig.model_validate(client)
        else:
            config_of_client = endpoint
        self._context = vf.ModelContext(
            model=model,
            client=config_of_client,
            sampling=vf.SamplingConfig.model_validate(dict(sampling or {})),
        )
        if max_concurrent < 1:
            raise ValueError(f"max_concurrent must be at least 1 (got {max_concurrent})")
        self.environment: str = config.env_id
        """The environment's id, with its taskset's."""
        self.weights = 0
        """The version of the weights that the engine serves now: the trainer sets it."""
        self.failures: Counter[str] = Counter()
        """Failed rollouts so far, by cause."""
        self._env = vf.load_environment(config)
        if live is not None:
            self._hand_over(live, server)
        self._max_concurrent = max_concurrent
        self._slots = asyncio.Semaphore(max_concurrent)
        self._tasks: list[AnyTask] = []
        self._more = iter(self._env.taskset)
        self._served = None if server is None else Served(server)
        self._serving: contextlib.AbstractAsyncContextManager[object] | None = None
        self._reading = asyncio.Lock()
        self._drawing = threading.Lock()

    def _hand_over(self, live: object, server: str | None) -> None:
        if server is not None:
            raise ValueError("`live` is read in this process, and `server` plays in another")
        if not callable(use := getattr(self._env, "use", None)):
            raise ValueError(f"{self.environment!r} takes nothing `live`: it has no method `use`")
        use(live)

    async def __aenter__(self) -> Self:
        _renew_lock()
        serving = self._served or self._env.serving()
        await serving.__aenter__()
        self._serving = serving
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        serving, self._serving = self._serving, None
        assert serving is not None
        await serving.__aexit__(kind, error, trace)

    async def count(self) -> int | None:
        """How many tasks there are; None where they never end."""
        if not self._env.taskset.bounded:
            return None
        async with self._reading:
            await asyncio.to_thread(self._draw, None)
        return len(self._tasks)

    async def play(
        self, tasks: Iterable[int], *, group_size: int = 1
    ) -> AsyncGenerator[Group, None]:
        """Plays the tasks at these positions and yields each one's group when it is whole.

        At most as many groups are begun as `max_concurrent` episodes fill, and no other while the
        caller keeps a group: a slow trainer holds the rollouts up, not memory. Leaving the loop
        early (with `aclosing`, or by cancelling the task) cancels what is in flight.

        Args:
            tasks: positions in the taskset; one may be named again.
            group_size: episodes per task. 1 where the environment plays the group itself
                (`entropy-group`, `math500-entropy`).

        Raises:
            IndexError: no task at a position.
            RolloutsError: rollouts that cannot be trained on, whatever the policy does.
        """
        if self._serving is None:
            raise RuntimeError("Rollouts plays only within `async with`")
        if group_size < 1:
            raise ValueError(f"group_size must be at least 1 (got {group_size})")
        ahead = -(-self._max_concurrent // group_size)
        wanted = iter(tasks)
        playing: set[asyncio.Task[Group]] = set()
        try:
            while True:
                for index in itertools.islice(wanted, ahead - len(playing)):
                    playing.add(asyncio.create_task(self._group(index, group_size)))
                if not playing:
                    return
                done, playing = await asyncio.wait(playing, return_when="FIRST_COMPLETED")
                playing |= done
                for task in done:
                    group = task.result()
                    playing.remove(task)
                    yield group
        finally:
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)

    async def _group(self, index: int, group_size: int) -> Group:
        task = await self._task(index)
        episodes = [asyncio.create_task(self._episode(task)) for _ in range(group_size)]
        try:
            played = await asyncio.gather(*episodes)
        except BaseException:
            for episode in episodes:
                episode.cancel()
            await asyncio.gather(*episodes, return_exceptions=True)
            raise
        group = as_group(task, index, played, self._env.complete)
        self.failures.update(failure.cause for failure in group.failures)
        return group

    async def _episode(self, task: AnyTask) -> Played:
        async with self._slots:
            before = self.weights
            episode: AnyEpisode | Failure
            if self._served is not None:
                data = task.data.model_dump(mode="json")
                episode = await self._served.play(data, self._context)
            else:
                episode = await self._env.run_slot(self._env.slots(task)[0], self._context)
            return episode, (before, self.weights)

    async def _task(self, index: int) -> AnyTask:
        if index < 0:
            raise IndexError(f"the position of a task counts from 0 (got {index})")
        async with self._reading:
            if index >= len(self._tasks):
                await asyncio.to_thread(self._draw, index + 1)
        if index >= len(self._tasks):
            raise IndexError(f"{self.environment!r} has {len(self._tasks)} tasks: none at {index}")
        return self._tasks[index]

    def _draw(self, until: int | None) -> None:
        """The first `until` tasks, or all. On a thread, that goes on where its caller is cancelled:
        what it draws is kept, or positions would shift."""
        with self._drawing:
            missing = None if until is None else max(0, until - len(self._tasks))
            self._tasks.extend(itertools.islice(self._more, missing))


def _renew_lock() -> None:
    """renderers keeps one lock for the process, which binds to the first loop that contends for it:
    on another loop every contended model call would fail."""
    if not hasattr(renderers.client, "_max_prompt_len_lock"):
        raise ImportError(
            "renderers.client has lost _max_prompt_len_lock: look for the lock around its lookup of"
            " the engine's context length, and renew that one"
        )
    renderers.client._max_prompt_len_lock = asyncio.Lock()
