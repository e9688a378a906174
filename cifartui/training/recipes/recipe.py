"""What a recipe is."""

from typing import Annotated, Literal

import msgspec

from cifartui.training.recipes.average import AnyAverage, NoAverage
from cifartui.training.recipes.clipping import AnyClipping, NoClipping
from cifartui.training.recipes.described import described
from cifartui.training.recipes.mixing import AnyMixing, NoMixing
from cifartui.training.recipes.optimizers import AnyOptimizer
from cifartui.training.recipes.parts import Augment, Checkpoints, Loader, Normalize, Validation
from cifartui.training.recipes.schedules import AnySchedule, Constant
from cifartui.training.recipes.stopping import AnyStopping, NeverEarly

Initialization = Literal["torch", "he", "whitened"]
PrecisionName = Literal["fp32", "tf32", "bf16", "fp16"]
RATE = "optimizer.learning_rate"
IMAGES_AT_ONCE = "images_at_once"
"""Keys of the settings that commands to a run change, too."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is trained."""

    description: str = ""
    network: Annotated[
        str,
        described(
            "The network to train: a name from `model list`, a .toml file, or package.module:name of your own code."
        ),
    ]
    epochs: Annotated[int, described("How often training goes through all training images.", ge=1, le=100_000)]
    batch_size: Annotated[int, described("Images per step: the gradient is their average.", ge=1, le=65_536)]
    images_at_once: Annotated[
        int,
        described(
            "Images of a batch that go through the network together, where memory is short; their gradients add up to "
            "the batch's. 0: the whole batch.",
            ge=0,
            le=65_536,
        ),
    ] = 0
    loss: Annotated[
        Literal["cross_entropy"],
        described("Cross-entropy: minus the logarithm of the probability given to the right class."),
    ] = "cross_entropy"
    label_smoothing: Annotated[
        float,
        described(
            "Share of the right answer that is spread over all classes in training, so that the network is never sure; "
            "held-out images are judged without.",
            ge=0,
            lt=1,
        ),
    ] = 0.0
    initialization: Annotated[
        Initialization,
        described(
            "The weights before the first step. torch: as each kind of layer draws them by itself. he: normal with the "
            "variance 2 / inputs, biases 0 (He et al. 2015), in convolutions and linear layers. whitened: torch's, but "
            "the first convolution's make patches of the training images uncorrelated, and are not trained."
        ),
    ] = "torch"
    log_every: Annotated[
        int,
        described("Mini-batches between two log lines; the line shows the mean loss over them.", ge=1, le=10_000_000),
    ] = 2_000
    precision: Annotated[
        PrecisionName,
        described(
            "Numbers that training steps compute with; weights stay in 32 bits, and evaluation computes in 32. "
            "fp32: 32 bits. tf32: 32 bits, the factors of products shortened to 19 (NVIDIA GPUs). bf16: 16 bits with "
            "the range of 32, where torch's autocast holds that to be safe. fp16: 16 bits with a smaller range, for "
            "which the loss is scaled (GPUs that torch calls cuda)."
        ),
    ] = "fp32"
    channels_last: Annotated[
        bool,
        described(
            "Whether the channels of a pixel lie side by side in memory, not those of an image one after the other; "
            "the same numbers, and faster where convolutions are large or in 16 bits."
        ),
    ] = False
    loader: Loader = Loader()
    normalize: Normalize
    augment: Augment = Augment()
    mixing: Annotated[
        AnyMixing,
        described(
            "Whether images of a batch are mixed; the accuracy while training then asks for an image's own label."
        ),
    ] = NoMixing()
    optimizer: Annotated[AnyOptimizer, described("How gradients change the weights.")]
    schedule: Annotated[AnySchedule, described("How the learning rate goes over the run.")] = Constant()
    clipping: Annotated[AnyClipping, described("Whether large gradients are shortened.")] = NoClipping()
    average: Annotated[AnyAverage, described("Which average of the weights is kept beside them.")] = NoAverage()
    validation: Validation = Validation()
    stopping: Annotated[AnyStopping, described("Whether the run may end before its epochs are done.")] = NeverEarly()
    checkpoints: Checkpoints = Checkpoints()
