"""One pool of killable processes for work on text that a policy wrote.

    pool = Pool(Program("the adder", "my_package.adder", "pip install my-package"), Limits(5, 512))
    outcome = pool.submit(pool.call, {"sum": [1, 2]}).result()  # a reply, or a `Breach`

`my_package.adder` runs in the workers and has three functions: `prepare()`, once in the template
that all workers are forked from; `start()`, in each worker under its limits; and
`answer(header, blobs)`, a request's reply. `blame` is the table of whose fault an end is. How many
workers live at once is a budget for the whole machine: `set_workers`, else the environment variable
INWARD_WORKERS, else the usable cores. Linux and macOS.
"""

from inward_rewards.sandbox.blame import Breach
from inward_rewards.sandbox.cores import usable_cores
from inward_rewards.sandbox.errors import Broken, PoolError
from inward_rewards.sandbox.forks import survives_forks
from inward_rewards.sandbox.frames import Message, pack, unpack
from inward_rewards.sandbox.memo import Memo
from inward_rewards.sandbox.pool import Pool
from inward_rewards.sandbox.slots import set_workers
from inward_rewards.sandbox.template import Limits, Program
from inward_rewards.sandbox.turns import Turns

__all__ = [
    "Breach",
    "Broken",
    "Limits",
    "Memo",
    "Message",
    "Pool",
    "PoolError",
    "Program",
    "Turns",
    "pack",
    "set_workers",
    "survives_forks",
    "unpack",
    "usable_cores",
]
