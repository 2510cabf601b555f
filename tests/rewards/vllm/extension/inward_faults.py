"""A worker extension, as prime-rl's servers have one: it breaks the plugin, or stops its thread."""

import threading
import time


class Faults:
    def break_inward(self, part):
        def broken(*args, **kwargs):
            raise RuntimeError("broken on purpose")

        setattr(self._inward.collector, part, broken)

    def mend_inward(self, part):
        delattr(self._inward.collector, part)

    def slow_down(self, seconds):
        """Every step takes so long."""
        collector = self._inward.collector
        collect = type(collector).collect
        collector.collect = lambda *args: time.sleep(seconds) or collect(collector, *args)

    def stop_scoring(self):
        collector = self._inward.collector
        score, self._go_on = collector._score, threading.Event()
        collector._score = lambda job: self._go_on.wait(600) and score(job)

    def go_on_scoring(self):
        del self._inward.collector._score
        self._go_on.set()

    def count_scoring(self):
        """Requests whose rows are complete and whose score is not there yet."""
        return len(self._inward.collector._scoring)
