"""Heavy work in a child process: one of the program's own commands, answering in JSON.

Whatever needs torch, or opens files from outside, runs there and not among the screens.
"""

import subprocess
import sys
from collections.abc import Iterator

import msgspec

from cifartui.errors import CifartuiError
from cifartui.progress import Progress


class ChildCommand:
    """A `cifartui` command in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cifartui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._complaints: list[str] = []

    def progress(self) -> Iterator[Progress]:
        """Yield the command's progress until it ends."""
        decoder = msgspec.json.Decoder(Progress)
        assert self._process.stderr
        for line in self._process.stderr:
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError:
                self._complaints.append(line.decode(errors="replace").strip())

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the command's output as they come, until it ends.

        Raises:
            CifartuiError: the command failed; the sentence is its own.
        """
        assert self._process.stdout
        yield from self._process.stdout
        for _ in self.progress():
            pass
        self.result()

    def result(self) -> bytes:
        """The last line of the command's output, once it has ended.

        Raises:
            CifartuiError: the command failed; the sentence is its own.
        """
        output, _ = self._process.communicate()
        if self._process.returncode:
            sentence = (
                self._complaints[-1].removeprefix("cifartui: ") if self._complaints else "The work was cut short."
            )
            raise CifartuiError(sentence)
        return output.strip().rpartition(b"\n")[2]

    def cancel(self) -> None:
        """End the command; what it was writing is not there afterwards."""
        self._process.terminate()
