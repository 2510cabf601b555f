"""Whose fault it was that nothing was drawn."""

from __future__ import annotations


class RedrawError(Exception):
    """The machine is at fault: a server, a pipeline or a key. No score may be given.

    The message names the address or model, the cause and the mend.
    """
