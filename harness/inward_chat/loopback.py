"""Loopback never goes through a proxy.

Everything that a run talks to on its own machine is reached over loopback: tool servers, and
verifiers' probe of them, the interception server, a policy served locally. Where a proxy is set,
Python's clients hand it those requests as well, and it cannot answer them. Child processes inherit
the environment, so one exemption in the worker serves them all; every other address goes through
the proxy as before.
"""

from __future__ import annotations

import os

HOSTS = ("127.0.0.1", "localhost", "::1")


def exempt() -> None:
    """Add loopback to `NO_PROXY` and `no_proxy`, beside what the user has put into either."""
    names = [name for name in ("NO_PROXY", "no_proxy") if name in os.environ]
    theirs = [host.strip() for name in names for host in os.environ[name].split(",")]
    hosts = dict.fromkeys(host for host in (*theirs, *HOSTS) if host)
    # `*` exempts every host, but only where it stands alone.
    value = "*" if "*" in hosts else ",".join(hosts)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = value
