"""How fast bytes come."""

import time
from collections import deque

KEPT_SECONDS = 60.0
MARK_SECONDS = 0.02


class Rate:
    """Bytes per second over the last while; time in which nothing was asked for can be left out."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque([(self._began, 0)])

    def add(self, size: int) -> None:
        """Count bytes that have just come."""
        now = time.monotonic()
        moment, total = self._marks[-1]
        if len(self._marks) > 1 and now - moment < MARK_SECONDS:
            self._marks[-1] = (moment, total + size)
            return
        self._marks.append((now, total + size))
        while len(self._marks) > 2 and self._marks[1][0] < now - KEPT_SECONDS:
            self._marks.popleft()

    def leave_out(self, seconds: float) -> None:
        """Forget that the last `seconds` have passed."""
        self._began += seconds
        self._marks = deque((moment + seconds, total) for moment, total in self._marks)

    @property
    def seconds(self) -> float:
        """For how long bytes have been asked for."""
        return time.monotonic() - self._began

    def over(self, seconds: float) -> float:
        """Bytes per second over the last `seconds`, or since the beginning if that is less."""
        now = time.monotonic()
        before = next((mark for mark in reversed(self._marks) if mark[0] <= now - seconds), self._marks[0])
        return (self._marks[-1][1] - before[1]) / max(min(seconds, now - before[0]), 1e-3)
