"""How long a fetch waits, and for how much: every wait of it has an end."""

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one fetch, in seconds of the wall clock and bytes per second."""

    connect_seconds: float = 8.0
    answer_seconds: float = 15.0
    """From asking to the end of the answer's headers, redirects included, however they drip."""
    stall_seconds: float = 15.0
    """A source that sends no byte for so long has stalled."""
    least_bytes_per_second: int = 1_000
    """A source that gives less over `least_seconds`, attempts and rests included, is given up; 0: none is."""
    least_seconds: float = 30.0
    probe_seconds: float = 1.5
    """How long the first bytes of several sources are measured."""
    others_seconds: float = 3.0
    """How long sources are waited for while others are measured already."""
    slow_bytes_per_second: int = 200_000
    """A source that gives less over `slow_seconds` stays in use, but a faster one is looked for."""
    slow_seconds: float = 6.0
    look_again_seconds: float = 60.0
    """After a search that found nothing faster, the next one waits for so long."""
    back_off_seconds: float = 10.0
    """The longest rest after a failure; the first one is a twentieth of it."""
    requested_rest_seconds: float = 30.0
    """So long in all a source can have us wait by Retry-After."""
    tick_seconds: float = 0.1
    """How often the bounds are looked at, and progress is told."""


BOUNDS = Bounds()
