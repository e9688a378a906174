"""Random chains of layers; most fit together, some do not."""

from hypothesis import strategies as st

from cifartui.model.layers import (
    KINDS,
    AnyLayer,
    AvgPool2d,
    BasicBlock,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
)
from cifartui.model.network import Network
from cifartui.model.summary import summarize

OF_PICTURES = ("conv2d", *(kind for kind in KINDS if kind not in ("flatten", "linear")))
"""Of layers that pictures go through; convolutions come twice as often."""
RARELY = (0, 0, 0, 0, 0, 1)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Network, tuple[int, int, int]]:
    """A network and the shape of its input."""
    shape = (draw(st.integers(1, 4)), draw(st.integers(4, 20)), draw(st.integers(4, 20)))
    channels, layers = shape[0], list[AnyLayer]()
    for position in range(draw(st.integers(0, 5))):
        layer = _layer(draw, f"layer{position}", channels)
        channels = layer.out_channels if isinstance(layer, Conv2d | BasicBlock) else channels
        layers.append(layer)
    if draw(st.booleans()):
        layers.append(Flatten(name="flatten"))
        output = summarize(Network(name="prefix", layers=tuple(layers)), shape).output
        features = (output[0] if len(output) == 1 else 7) + draw(st.sampled_from(RARELY))
        layers.append(Linear(name="fc", in_features=features, out_features=draw(st.integers(1, 8))))
    return Network(name="chain", input=shape, layers=tuple(layers)), shape


def _layer(draw: st.DrawFn, name: str, channels: int) -> AnyLayer:
    wrong = draw(st.sampled_from(RARELY))
    match draw(st.sampled_from(OF_PICTURES)):
        case "conv2d":
            groups = draw(st.sampled_from([1, 1, 1, 2, channels]))
            return Conv2d(
                name=name,
                in_channels=channels + wrong,
                out_channels=draw(st.integers(1, 3)) * groups + draw(st.sampled_from(RARELY)),
                kernel_size=draw(st.integers(1, 6)),
                stride=draw(st.integers(1, 3)),
                padding=draw(st.integers(0, 2)),
                dilation=draw(st.sampled_from([1, 1, 1, 2, 3])),
                groups=groups,
                bias=draw(st.booleans()),
            )
        case "max_pool2d":
            return MaxPool2d(name=name, **_window(draw))
        case "avg_pool2d":
            return AvgPool2d(name=name, **_window(draw))
        case "batch_norm2d":
            return BatchNorm2d(name=name, num_features=channels + wrong)
        case "dropout":
            return Dropout(name=name, p=draw(st.sampled_from([0.0, 0.1, 0.5])))
        case "basic_block":
            out_channels, stride = draw(st.sampled_from([channels, channels, 3])), draw(st.integers(1, 2))
            return BasicBlock(name=name, in_channels=channels + wrong, out_channels=out_channels, stride=stride)
        case kind:
            return KINDS[kind].fresh(name, (channels,))


def _window(draw: st.DrawFn) -> dict[str, int]:
    return {
        "kernel_size": draw(st.integers(1, 4)),
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.sampled_from([0, 0, 1])),
    }
