"""The broker of `inward serve`: between the clients and the env servers that play for them.

verifiers' own pool never looks at its workers: what a dead one held is never answered, and its
client waits for ever. This one speaks the same protocol on both sides, and every request ends:

| what happens | seen after | the episodes that were held |
|---|---|---|
| a worker dies: killed, out of memory, crashed | at once | fail by name; another is started |
| its tool server dies | 2 probes, about 5 s | the same |
| it hangs | `hung` seconds without a word | the same: it is killed |
| an episode makes no progress: the engine or a reward hangs | `silence` seconds | fails by name |
| a peer, an env server elsewhere, is gone | `hung` seconds without a word | fail by name |
| the broker is told to end | at once | fail by name |

Progress is what verifiers streams of an episode: a turn, or a phase that begins. A failure by name
is the protocol's own: `EnvClient.run` raises RuntimeError, and prime-rl records a failed rollout.
Time counts while the broker runs: on a machine that slept, nothing fails for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import msgpack
import zmq
import zmq.asyncio
from inward_chat.verifiers_compat import BaseResponse, CancelResponse, HealthResponse

from inward_training.env_server.players import (
    Player,
    Processes,
    Request,
    dealer,
    death,
    front,
    peer,
)
from inward_training.errors import RolloutsError

START_S = 600.0
"""A worker may take this long to load its environment and to answer."""
HUNG_S = 120.0
"""A worker that says nothing for this long hangs; a reward may hold its event loop up."""
SILENCE_S = 1800.0
"""An episode without a turn or a new phase for this long has failed."""
MAX_CONCURRENT = 128
"""Episodes at once per worker; verifiers' own."""
PROBE_S = 5.0
TICK_S = 0.5
MAX_BACKOFF_S = 30.0
HEALTH = msgpack.packb({})

log = logging.getLogger(__name__)


class Broker:
    """One env, served at one address by worker processes and, where named, by peers."""

    def __init__(
        self,
        env: dict[str, Any],
        address: str,
        *,
        workers: int,
        peers: Sequence[str] = (),
        max_concurrent: int = MAX_CONCURRENT,
        silence: float = SILENCE_S,
        hung: float = HUNG_S,
        log_level: str = "WARNING",
    ) -> None:
        """
        Args:
            env: the env's config, as `EnvConfig.model_dump(mode="json")` gives it.
            address: where clients connect, such as `tcp://127.0.0.1:5000`; port 0 is any free one.
            workers: processes on this machine; 0 where the peers play alone.
            peers: addresses of other env servers of the same env, each with workers of its own.
            max_concurrent: episodes at once per worker or peer: of a peer at most what its own
                workers take, since what waits there counts as silent. More wait here, and their
                time does not count.
            silence: seconds without progress after which an episode fails.
            hung: seconds without a word after which a worker is killed, and a peer is given up.
            log_level: of what the workers write to stderr.

        Raises:
            ValueError: no worker and no peer, a peer that is no address, or nothing can listen at
                `address`.
        """
        if workers < 1 and not peers:
            raise ValueError("an env server needs a worker or a peer")
        self._planned, self._max_concurrent = workers, max_concurrent
        self._silence, self._hung = silence, hung
        self._waiting: deque[Request] = deque()
        self._players: list[Player] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()
        """Set once anyone has been up."""
        self._over: asyncio.Future[None]
        self._zmq = zmq.asyncio.Context()
        self._processes = Processes(env, log_level)
        try:
            self._front = front(self._zmq, address)
            self._peers = [peer(self._zmq, address) for address in peers]
        except ValueError:
            self._close()
            raise
        self.address: str = self._front.getsockopt_string(zmq.LAST_ENDPOINT)

    async def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serves until it is cancelled; `ready` is called when the first worker has answered.

        Raises:
            RolloutsError: the first worker ends before it serves.
        """
        self._over = asyncio.get_running_loop().create_future()
        try:
            for peer in self._peers:
                self._join(peer)
            for _ in range(self._planned):
                self._keep(self._place())
            self._keep(self._requests())
            self._keep(self._clock())
            up: asyncio.Future[Any] = asyncio.ensure_future(self._up.wait())
            try:
                await asyncio.wait([up, self._over], return_when="FIRST_COMPLETED")
                if up.done():
                    ready()
                await self._over
            finally:
                up.cancel()
        finally:
            await self._end()

    # Clients.

    async def _requests(self) -> None:
        while True:
            frames = await self._front.recv_multipart()
            if len(frames) != 4:
                log.warning("a request of %d frames instead of 4 is dropped", len(frames))
                continue
            client, id, method, payload = frames
            request = Request(client, id, method, payload)
            if request.method == b"health":
                await self._reply(request, HealthResponse())
            elif request.method == b"cancel":
                cancelled = await self._cancel_for(request)
                await self._reply(request, CancelResponse(cancelled=cancelled))
            else:
                self._waiting.append(request)
                self._dispatch()

    async def _cancel_for(self, asked: Request) -> bool:
        """Whether the episode that a client wants ended is known."""
        try:
            target = str(msgpack.unpackb(asked.payload)["request_id"]).encode()
        except (ValueError, TypeError, KeyError):
            return False
        for request in self._waiting:
            if request.id == target:
                self._waiting.remove(request)
                await self._fail([request], "Cancelled", "its client gave it up")
                return True
        for player in self._players:
            if target in player.held:
                # It answers the request that it ends, and that frees the place.
                player.cancel(target)
                return True
        return False

    async def _reply(self, request: Request, response: BaseResponse) -> None:
        await self._send_back(request, b"reply", msgpack.packb(response.model_dump(mode="json")))

    async def _send_back(self, request: Request, kind: bytes, data: bytes | zmq.Frame) -> bool:
        """False where the client has gone."""
        try:
            await self._front.send_multipart([request.client, request.id, kind, data], copy=False)
        except zmq.ZMQError:
            return False
        return True

    async def _fail(self, requests: Sequence[Request], name: str, why: str) -> None:
        if requests:
            log.warning("%d episodes failed: %s: %s", len(requests), name, why)
        for request in requests:
            await self._reply(request, BaseResponse(success=False, error=f"{name}: {why}"))

    # Players.

    def _dispatch(self) -> None:
        """To the least busy that is up, as long as one has a place."""
        while self._waiting:
            free = [p for p in self._players if p.up and len(p.held) < self._max_concurrent]
            if not free:
                return
            player = min(free, key=lambda p: len(p.held))
            request = self._waiting[0]
            if not player.ask(request.id, request.method, request.payload):
                player.up = False
                continue
            self._waiting.popleft()
            player.held[request.id] = request
            request.quiet, request.payload = 0.0, b""

    async def _answers(self, player: Player) -> None:
        while True:
            frames = await player.dealer.recv_multipart(copy=False)
            player.quiet = 0.0
            if not player.up:
                player.up = player.served = True
                self._up.set()
                self._dispatch()
            if len(frames) != 3 or (request := player.held.get(frames[0].bytes)) is None:
                continue
            request.quiet, kind = 0.0, frames[1].bytes
            if kind == b"reply":
                del player.held[request.id]
                self._dispatch()
            if not await self._send_back(request, kind, frames[2]):
                # Nobody wants it any more, and it costs the engine's time.
                player.cancel(request.id)

    async def _place(self) -> None:
        """A worker and, whenever it has ended, another."""
        failed_starts = 0
        while True:
            try:
                process, pipe, address = await asyncio.to_thread(self._processes.start)
            except (OSError, EOFError) as error:
                why, served = f"no env worker can be started: {error!r}", False
            else:
                name = f"env worker {process.pid}"
                player = Player(name, dealer(self._zmq, address), process, pipe)
                self._join(player)
                await death(process)
                self._players.remove(player)
                why, served = f"{name} {player.how_it_ended()}", player.served
                await self._lose(player, why)
                player.close()
            failed_starts = 0 if served else failed_starts + 1
            if not served:
                await self._start_failed(why)
            await asyncio.sleep(min(2**failed_starts - 1, MAX_BACKOFF_S))

    async def _start_failed(self, why: str) -> None:
        why = f"{why} before it served: what it wrote is in the log"
        if not self._up.is_set() and not self._over.done():
            self._over.set_exception(RolloutsError(why))
        elif not any(p.up for p in self._players):
            # They waited for it.
            waiting = list(self._waiting)
            self._waiting.clear()
            await self._fail(waiting, "EnvWorkerLost", why)

    def _join(self, player: Player) -> None:
        self._players.append(player)
        self._keep(self._answers(player))

    async def _lose(self, player: Player, why: str) -> None:
        player.up, player.quiet = False, 0.0
        held = list(player.held.values())
        player.held.clear()
        await self._fail(held, "EnvWorkerLost", why)

    # Time.

    async def _clock(self) -> None:
        loop = asyncio.get_running_loop()
        before, since_probe = loop.time(), 0.0
        while True:
            await asyncio.sleep(TICK_S)
            # A clock that was held up itself counts no more than two ticks.
            passed = min(loop.time() - before, 2 * TICK_S)
            before, since_probe = loop.time(), since_probe + passed
            if since_probe >= min(PROBE_S, self._hung / 3) or not self._up.is_set():
                since_probe = 0.0
                for player in self._players:
                    player.ask(b"probe", b"health", HEALTH)
            for player in list(self._players):
                player.quiet += passed
                await self._look_at(player, passed)
            if not any(p.up for p in self._players):
                why = f"no env server has been up for {self._silence:g} s"
                await self._fail(self._silent(self._waiting, passed), "EnvWorkerLost", why)
                self._waiting = deque(r for r in self._waiting if r.quiet <= self._silence)

    async def _look_at(self, player: Player, passed: float) -> None:
        limit = self._hung if player.up or player.held else START_S
        if player.quiet > limit and player.process is not None:
            log.warning("%s has said nothing for %g s: it is killed", player.name, limit)
            player.quiet, player.hung = 0.0, limit
            player.process.kill()
        elif player.quiet > limit and (player.up or player.held):
            # Its connection may have been lost since: what it holds is then never answered.
            await self._lose(player, f"{player.name} has said nothing for {limit:g} s")
        elif player.process is None and not player.served and player.quiet > self._hung:
            player.quiet = 0.0
            log.warning("%s has not answered for %g s: it is asked on", player.name, self._hung)
        silent = self._silent(player.held.values(), passed)
        for request in silent:
            del player.held[request.id]
            player.cancel(request.id)
        why = f"no turn and no new phase for {self._silence:g} s at {player.name}"
        await self._fail(silent, "EpisodeSilent", why)

    def _silent(self, requests: Collection[Request], passed: float) -> list[Request]:
        """Those whose time is over, after as many seconds more."""
        for request in requests:
            request.quiet += passed
        return [request for request in requests if request.quiet > self._silence]

    # The machinery.

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """A task whose fault ends the broker."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._kept)

    def _kept(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._over.done():
            self._over.set_exception(error)

    async def _end(self) -> None:
        """Whoever still waits is told; nothing is left running."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        unanswered = [r for player in self._players for r in player.held.values()]
        why = "the env server was told to end"
        await self._fail([*unanswered, *self._waiting], "EnvServerEnded", why)
        for player in self._players:
            if player.process is not None:
                player.process.terminate()
        for player in self._players:
            await asyncio.to_thread(player.end)
            player.close()
        self._close()

    def _close(self) -> None:
        self._zmq.destroy(linger=None)
        self._processes.close()
