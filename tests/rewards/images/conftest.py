import pytest


@pytest.fixture(autouse=True)
def backends_of_this_test() -> None:
    """A backend remembers what it drew by its server's address, and a port is given out again."""
    from inward_rewards.images import redraw_of
    from inward_rewards.images.questions_reader import reader_of

    redraw_of.cache_clear()
    reader_of.cache_clear()
