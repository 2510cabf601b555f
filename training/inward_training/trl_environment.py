"""TRL's `environment_factory` on any verifiers v1 environment (TRL 1.16), in one process.

    with Seats({"taskset": {"id": "quality-rag"}}) as seats:
        GRPOTrainer(
            MODEL,
            environment_factory=seats.factory,
            reward_funcs=seats.reward,
            train_dataset=seats.dataset(),
            args=GRPOConfig(scale_rewards="none", …),
        ).train()

Here the trainer renders, samples and parses; the environment brings the prompt, runs the tools and
scores. Each rollout is a real episode of verifiers, whose model is the trainer: the episode's first
model call is the prompt, a tool call of the trainer answers it, and so does the final reply.

What a trainer of this kind does not hand on, the environment does not see: text beside a tool call,
token ids and logprobs. The system prompt stands before the user's, in one message. Not taken, and
refused by name: pictures, environments that play several conversations per episode, and those that
answer a reply without a tool call. `inward_training.trl.rollout_func` sees everything.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import count, islice
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

try:
    import verifiers.v1 as vf
    from inward_chat.testing import PolicyServer
except ModuleNotFoundError as error:
    raise ImportError(
        "inward_training.trl_environment plays through verifiers:"
        ' pip install "inward-training[rollouts]"'
    ) from error

from inward_training.episodes import failed, failure
from inward_training.errors import RolloutsError
from inward_training.samples import Failure
from inward_training.tool_methods import method_of

if TYPE_CHECKING:
    from datasets import Dataset

Message = dict[str, Any]
T = TypeVar("T")
OVER = "error: the episode is over"


class Seats:
    """The environment behind all rollouts of a trainer."""

    def __init__(self, env: vf.EnvConfig | Mapping[str, Any], tasks: int | None = None) -> None:
        """
        Args:
            env: the table `[env]` of a config: `{"taskset": {"id": "quality-rag"}, …}`.
            tasks: how many, from the first; all where left out.

        Raises:
            ValueError: the tasks never end and `tasks` is left out, or there are not so many.
        """
        if tasks is not None and tasks < 1:
            raise ValueError(f"tasks must be at least 1 (got {tasks})")
        config = env if isinstance(env, vf.EnvConfig) else vf.resolve_env_config(dict(env))
        self.environment: str = config.env_id
        self.failures: Counter[str] = Counter()
        """Failed rollouts so far, by cause."""
        self._env = vf.load_environment(config)
        if tasks is None and not self._env.taskset.bounded:
            raise ValueError(f"{self.environment!r} has tasks without end: say how many")
        self._tasks = list(islice(self._env.taskset, tasks))
        if len(self._tasks) < (tasks or 1):
            raise ValueError(f"{self.environment!r} has {len(self._tasks)} tasks (got {tasks})")
        self._seats: dict[str, _Seat] = {}
        self._numbers = count()
        self._playing: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._stack = ExitStack()
        self._url = ""
        self.factory: Callable[[], _Seat]
        """What `GRPOTrainer(environment_factory=…)` takes."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            thread.start()
            stack.callback(self._loop.close)
            stack.callback(thread.join)
            stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
            # It closes the loop's HTTP connections.
            stack.callback(lambda: self._wait(self._loop.shutdown_asyncgens()))
            self._url = stack.enter_context(PolicyServer(self._policy)).base_url
            serving = self._env.serving()
            self._wait(serving.__aenter__())
            stack.callback(lambda: self._wait(serving.__aexit__(None, None, None)))
            stack.callback(self._leave)
            self.factory = self._class()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __len__(self) -> int:
        """How many tasks."""
        return len(self._tasks)

    def dataset(self) -> Dataset:
        """One row per task; its prompt comes from the environment when a rollout begins."""
        from datasets import Dataset

        prompt = [{"role": "user", "content": ""}]
        rows = [{"prompt": prompt, "index": index} for index in range(len(self._tasks))]
        return Dataset.from_list(rows)

    def reward(
        self, completions: Sequence[Sequence[Message]], environments: Sequence[_Seat], **_: Any
    ) -> list[float | None]:
        """What `GRPOTrainer(reward_funcs=…)` takes: the environment's own reward. A failed rollout
        has None, which TRL leaves out of the group."""
        for seat, completion in zip(environments, completions, strict=True):
            seat._finish(completion)
        return [seat._reward() for seat in environments]

    def _class(self) -> type[_Seat]:
        """A seat whose methods are the environment's tools, as its first task names them."""
        first = _Seat(self)
        first.reset(0)
        if not first._asks():
            found = first._outcome()
            why = (
                f"{found.cause}: {found.message}" if isinstance(found, Failure) else "no model call"
            )
            raise RolloutsError(f"{self.environment!r}: the first episode shows no tools: {why}")
        tools = first._tools
        first._abandon()
        for tool in tools:
            if hasattr(first, tool["name"]):
                raise RolloutsError(
                    f"{self.environment!r} has a tool {tool['name']!r}, and TRL's environments a"
                    " method of that name: use inward_training.trl.rollout_func"
                )
        named = {tool["name"]: method_of(tool) for tool in tools}
        seats = self

        def begin(seat: _Seat) -> None:
            _Seat.__init__(seat, seats)

        return type("Environment", (_Seat,), {"__init__": begin, **named})

    async def _policy(self, body: Message) -> Message:
        """Model calls of the episodes: each is put before its seat, which answers in its time."""
        seat, answer = self._seats.get(body["model"]), Future[Message]()
        if seat is not None:
            seat._asked.put((body, answer))
        if self._seats.get(body["model"]) is None:
            answer.cancel()  # its episode was given up
        return await asyncio.wrap_future(answer)

    def _begin(self, seat: _Seat, index: int) -> Future[Any]:
        if not 0 <= index < len(self._tasks):
            raise IndexError(
                f"{self.environment!r} has {len(self._tasks)} tasks here: none at {index}"
            )
        # An episode's model calls are known by the model that they name.
        name = f"seat-{next(self._numbers)}"
        self._seats[name] = seat
        context = vf.ModelContext(
            model=name,
            client=vf.EvalClientConfig(base_url=self._url, api_key_var="INWARD_API_KEY"),
            sampling=vf.SamplingConfig(),
        )
        [slot] = self._env.slots(self._tasks[index])
        episode = asyncio.run_coroutine_threadsafe(self._play(slot, context), self._loop)
        episode.add_done_callback(lambda _: self._seats.pop(name, None))
        return episode

    def _unfit(self) -> str:
        return (
            f"{self.environment} goes on after a reply without a tool call, or plays several"
            " conversations per episode: use inward_training.trl.rollout_func"
        )

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _leave(self) -> None:
        for seat in set(self._seats.values()):
            seat._abandon()
        self._wait(self._wound_up())

    async def _wound_up(self) -> None:
        """An abandoned episode ends in its own time, and needs its servers until then."""
        await asyncio.gather(*self._playing, return_exceptions=True)

    async def _play(self, slot: Any, context: vf.ModelContext) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._playing.add(task)
        try:
            return await self._env.run_slot(slot, context)
        finally:
            self._playing.discard(task)


class _Seat:
    """One rollout of the trainer at a time. Of its public methods `reset` is the trainer's, and
    those that a subclass adds are tools."""

    _asked: SimpleQueue[tuple[Message, Future[Message]] | None]
    """The episode's model calls; None once it is over."""
    _episode: Future[Any] | None
    _pending: Future[Message] | None
    """The model call that waits for the trainer."""
    _over: bool
    """Whether None was taken from `_asked`."""
    _tools: list[Message]
    _seen: int
    """Messages of the conversation that the trainer has."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._clear()

    def reset(self, index: int, **_: Any) -> str:
        """The prompt of a task; begins its episode."""
        self._abandon()
        self._clear()
        asked = self._asked
        self._episode, self._over = self._seats._begin(self, index), False
        self._episode.add_done_callback(lambda _: asked.put(None))
        body = self._next()
        if body is None:
            return ""
        self._tools = [tool["function"] for tool in body.get("tools") or ()]
        self._seen = len(body["messages"])
        return "\n\n".join(_text(message) for message in body["messages"])

    def _clear(self) -> None:
        self._asked = SimpleQueue()
        self._episode = self._pending = None
        self._over = True
        self._tools = []
        self._seen = 0

    def _next(self) -> Message | None:
        """The episode's next model call; None where it is over."""
        item = self._asked.get()
        if item is None:
            self._pending, self._over = None, True
            return None
        body, self._pending = item
        return body

    def _call(self, name: str, arguments: Mapping[str, Any]) -> str:
        if self._pending is None:
            return OVER
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{uuid4().hex}", "type": "function", "function": function}
        self._pending.set_result({"content": None, "tool_calls": [call]})
        body = self._next()
        if body is None:
            return OVER
        results = body["messages"][self._seen + 1 :]
        self._seen = len(body["messages"])
        return "\n".join(_text(message) for message in results)

    def _finish(self, completion: Sequence[Message]) -> None:
        last = completion[-1] if completion else {}
        content = last.get("content") if last.get("role") == "assistant" else None
        if self._pending is not None:
            self._pending.set_result({"content": content if isinstance(content, str) else ""})
            self._pending = None

    def _asks(self) -> bool:
        """Whether the episode waits for the trainer."""
        return self._pending is not None

    def _reward(self) -> float | None:
        if self._episode is None:
            return None
        found = self._outcome()
        return None if isinstance(found, Failure) else found

    def _outcome(self) -> float | Failure:
        """The reward of the episode, once it is over."""
        assert self._episode is not None
        if not self._over and self._next() is not None:
            self._abandon()
            raise RolloutsError(self._seats._unfit())
        episode = self._episode.result()
        found: Failure | None = None
        if not self._seats._env.complete(episode):
            found = failure(episode)
        elif len(episode.traces) != 1:
            raise RolloutsError(self._seats._unfit())
        else:
            found = failed(episode.traces[0])
        if found is None:
            return float(episode.traces[0].reward)
        self._seats.failures[found.cause] += 1
        return found

    def _abandon(self) -> None:
        """Ends the episode, if it plays."""
        if self._episode is not None:
            self._episode.cancel()
        while not self._over and (item := self._asked.get()) is not None:
            item[1].cancel()
        if self._pending is not None:
            self._pending.cancel()
        self._pending, self._over = None, True


def _text(message: Message) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    if any(part.get("type") != "text" for part in content):
        raise RolloutsError("a message holds a picture, which environment_factory does not take")
    return "\n".join(part["text"] for part in content)
