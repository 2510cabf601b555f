"""What is raised where a worker gives no reply."""

from __future__ import annotations


class PoolError(RuntimeError):
    """The machine's fault: processes cannot start, were closed or were ended from outside, or our
    own code failed. No score may be given."""


class Broken(Exception):  # noqa: N818 -- it names a state of the process that raises it
    """Raised by a program's `answer`: this request left the process unfit for another one."""
