"""What the layers of a network make of pictures, computed by a child process and read from its file."""

import tempfile
from pathlib import Path

import msgspec
import tomli_w

from cifartui.children import Child
from cifartui.dataset.pictures import picture_order
from cifartui.dataset.store import Split
from cifartui.errors import explain
from cifartui.inspection.activation_file import ActivationFile, read_activations
from cifartui.model.network import Network

TOGETHER = 8
"""Pictures computed by one child, so that going to the next is instant."""
SPLIT: Split = "test"


class Asked(msgspec.Struct, frozen=True):
    """Which activations are wanted."""

    network: Network
    dataset: str | None
    place: int = 0
    """Of the picture in the fixed random order of the test images."""
    image: str = ""
    """A picture file of the user's own, in place of those of the data set."""
    weights: str = ""
    """`RUN@STEP` or a file; fresh weights without."""

    @property
    def batch(self) -> "Asked":
        """The same for the first of the pictures that are computed together."""
        return msgspec.structs.replace(self, place=self.place // TOGETHER * TOGETHER)


class ActivationSource:
    """Computes what is asked for, and keeps the last file in a folder of its own."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._asked: Asked | None = None
        self._file: ActivationFile | None = None
        self._computed = 0
        self.last: Asked | None = None
        """What was looked at last."""

    def have(self, asked: Asked) -> ActivationFile | None:
        """The file, if it holds what is asked for."""
        return self._file if asked.batch == self._asked else None

    def compute(self, asked: Asked) -> Child:
        """Start computing.

        Raises:
            CifartuiError: the data set cannot be read, or there is no room for the file.
        """
        self._computed += 1
        try:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="cifartui-")
            network = Path(self._folder.name) / "network.toml"
            network.write_text(tomli_w.dumps(msgspec.to_builtins(asked.network)))
        except OSError as error:
            raise explain(error) from error
        arguments = ["--json", "-o", str(self._path)]
        if asked.image:
            arguments.append(f"--image={asked.image}")
        elif asked.dataset:
            first = asked.batch.place
            positions = picture_order(asked.dataset, SPLIT, None)[first : first + TOGETHER]
            arguments += [f"--dataset={asked.dataset}", f"--split={SPLIT}"]
            arguments += [f"--picture={position}" for position in positions]
        if asked.weights:
            arguments.append(f"--weights={asked.weights}")
        return Child("cifartui", "model", "activations", *arguments, "--", str(network))

    def take(self, asked: Asked) -> ActivationFile:
        """Open the file that was computed.

        Raises:
            DataError: it is not there or damaged.
        """
        file = read_activations(self._path)
        if self._file:
            self._file.path.unlink(missing_ok=True)
        self._file, self._asked = file, asked.batch
        return file

    def discard(self) -> None:
        """Remove the folder, as the end of the process does unless it is killed."""
        if self._folder:
            self._folder.cleanup()

    @property
    def _path(self) -> Path:
        assert self._folder
        return Path(self._folder.name) / f"activations-{self._computed}.safetensors"
