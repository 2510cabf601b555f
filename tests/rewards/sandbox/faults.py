"""Faults that a request asks for by name, inside a worker."""

import os
import signal
import time


def act(word: str) -> None:
    match word:
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(10_000)
        case "raise":
            raise RuntimeError("our own mistake")
        case "memory":
            bytearray(1 << 40)
        case "abort":
            os.abort()
        case "exit":
            os._exit(3)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
