"""A worker extension, as prime-rl's servers have one: it breaks the plugin and mends it again."""


class Faults:
    def break_inward(self, part):
        def broken(*args, **kwargs):
            raise RuntimeError("broken on purpose")

        setattr(self._inward.collector, part, broken)

    def mend_inward(self, part):
        delattr(self._inward.collector, part)
