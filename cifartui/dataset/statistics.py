"""Mean, standard deviation and histogram of each colour channel, counted a block of images at a time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HISTOGRAM_BINS = 32
Triple = tuple[float, float, float]


class ChannelTally:
    """Counts the values of each channel, block by block."""

    def __init__(self) -> None:
        import numpy as np

        self._histogram = np.zeros((3, 256), dtype=np.int64)

    def add(self, images: "NDArray[np.uint8]") -> None:
        """Count the values of `[N, 3, H, W]`."""
        import numpy as np

        for channel in range(3):
            self._histogram[channel] += np.bincount(images[:, channel].ravel(), minlength=256)

    def statistics(self) -> tuple[Triple, Triple, tuple[tuple[int, ...], ...]]:
        """Of each channel: exact mean and standard deviation (population) on the scale 0-1; histogram."""
        import numpy as np

        levels = np.arange(256) / 255
        share = self._histogram / self._histogram.sum(axis=1, keepdims=True)
        mean = share @ levels
        std = np.sqrt(np.maximum(share @ levels**2 - mean**2, 0))  # of one grey alone, a hair below zero
        bins = tuple(tuple(row) for row in self._histogram.reshape(3, HISTOGRAM_BINS, -1).sum(axis=2).tolist())
        return (mean[0].item(), mean[1].item(), mean[2].item()), (std[0].item(), std[1].item(), std[2].item()), bins
