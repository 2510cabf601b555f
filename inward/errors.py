"""The one error whose message is meant for the person at the terminal."""


class UserError(Exception):
    """What was wrong, the value, and the mend, in one line."""
