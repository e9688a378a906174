"""The optimizers that a recipe can name, each with the fields that torch's class has for it."""

from typing import Annotated, Any, ClassVar

import msgspec

from cifartui.training.recipes.described import described

Beta = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Optimizer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name"):
    """How gradients change the weights."""

    TORCH_CLASS: ClassVar[str]
    """In torch.optim; its arguments are the fields, under their own names, but for `lr` and `decay_norm_and_bias`."""

    learning_rate: Annotated[
        float,
        described(
            "Length of a step downhill: too small and training crawls, too large and it overshoots.", gt=0, le=100
        ),
    ]
    weight_decay: Annotated[
        float, described("Pull of each step on every weight towards 0, which keeps the weights small.", ge=0, le=100)
    ] = 0.0
    decay_norm_and_bias: Annotated[
        bool, described("Whether weight decay also pulls on biases and on the scales and shifts of norm layers.")
    ] = True

    def arguments(self) -> dict[str, Any]:
        """Of the class in torch."""
        values = {field: getattr(self, field) for field in self.__struct_fields__ if field != "decay_norm_and_bias"}
        return {"lr": values.pop("learning_rate"), **values}


class SGD(Optimizer, frozen=True, kw_only=True, tag="sgd"):
    """Stochastic gradient descent: a step against the gradient of each batch."""

    TORCH_CLASS = "SGD"

    momentum: Annotated[
        float, described("Share of the last step carried into the next one; it smooths the path.", ge=0, lt=1)
    ] = 0.0
    nesterov: Annotated[
        bool, described("Whether the gradient counts once more on top of the momentum that has it; needs momentum.")
    ] = False


class Adam(Optimizer, frozen=True, kw_only=True, tag="adam"):
    """Each weight has a rate of its own, from the running mean and size of its gradients (Kingma, Ba 2014)."""

    TORCH_CLASS = "Adam"

    betas: Annotated[
        tuple[Beta, Beta], described("Shares of the running mean, and of the running square, that stay at each step.")
    ] = (0.9, 0.999)
    eps: Annotated[float, described("Added to the divisor, so that it is never 0.", gt=0, le=1)] = 1e-8


class AdamW(Adam, frozen=True, kw_only=True, tag="adamw"):
    """Adam with weight decay apart from the gradient (Loshchilov, Hutter 2017)."""

    TORCH_CLASS = "AdamW"

    weight_decay: Annotated[
        float, described("Share of every weight that a step takes off it, times the learning rate.", ge=0, le=100)
    ] = 0.01


class RMSprop(Optimizer, frozen=True, kw_only=True, tag="rmsprop"):
    """Each weight has a rate of its own, from the running size of its gradients (Hinton 2012)."""

    TORCH_CLASS = "RMSprop"

    alpha: Annotated[
        float, described("Share of the running square of the gradients that stays at each step.", ge=0, lt=1)
    ] = 0.99
    eps: Annotated[float, described("Added to the divisor, so that it is never 0.", gt=0, le=1)] = 1e-8
    momentum: Annotated[
        float, described("Share of the last step carried into the next one; it smooths the path.", ge=0, lt=1)
    ] = 0.0
    centered: Annotated[
        bool, described("Whether the running mean of the gradients is taken out of their running square.")
    ] = False


AnyOptimizer = SGD | Adam | AdamW | RMSprop
