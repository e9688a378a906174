"""`cifartui model activations`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cifartui.cli.dataset import require_dataset
from cifartui.cli.output import print_json, say_written, watch
from cifartui.cli.parsing import Commands, add_json
from cifartui.errors import UsageError
from cifartui.inspection.activation_file import ActivationFacts
from cifartui.model.adapting import adapted
from cifartui.model.network import Network, load_network
from cifartui.model.summary import summarize
from cifartui.progress import LongWork, Progress
from cifartui.training.fitting import fit_network
from cifartui.training.launch import DEFAULT_SEED
from cifartui.training.run.folder import find_run

if TYPE_CHECKING:
    from cifartui.inspection.activations import Activations
    from cifartui.inspection.chosen import ChosenPictures

MAX_PICTURES = 64


class ActivationReport(msgspec.Struct, frozen=True):
    """What was written, as `model activations --json` tells it."""

    path: str
    facts: ActivationFacts


def add_command(actions: Commands) -> None:
    """Add the command of this file to those of `model`."""
    parser = actions.add_parser(
        "activations",
        help="write what every layer makes of some pictures",
        description="Run a network over pictures and write the output of every layer to one safetensors file.",
    )
    parser.add_argument("network", metavar="NETWORK", help="a name from `model list`, or a .toml file")
    parser.add_argument(
        "--weights",
        metavar="RUN|FILE",
        help="RUN[@best|@last|@STEP], or a .pth or .safetensors file; without, fresh weights are drawn",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=DEFAULT_SEED,
        metavar="N",
        help=f"fresh weights as a run with this seed starts with ({DEFAULT_SEED})",
    )
    parser.add_argument(
        "--recipe", default="tutorial", metavar="NAME|FILE", help="normalisation, where no run tells it (tutorial)"
    )
    parser.add_argument("--dataset", metavar="NAME", help="where the pictures come from")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="(test)")
    parser.add_argument(
        "--picture", type=int, action="append", default=[], metavar="N", help="its number in the split; may be repeated"
    )
    parser.add_argument(
        "--image", type=Path, action="append", default=[], metavar="FILE", help="a picture of your own instead"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="FILE.safetensors")
    add_json(parser)
    parser.set_defaults(handler=activations)


def activations(options: argparse.Namespace) -> None:
    """Compute the activations and write them."""
    _check_choice(options)
    network = load_network(options.network)
    if options.dataset:
        network = fit_network(network, require_dataset(options.dataset, as_json=options.json)).network
    made, written = watch(_write(network, options), as_json=options.json)
    if options.json:
        print_json(ActivationReport(str(options.output), made.facts))
    else:
        say_written(options.output, _line(made, options.output, written))


def _write(network: Network, options: argparse.Namespace) -> "LongWork[tuple[Activations, int]]":
    yield Progress("reading pictures", 0)
    if options.image and options.weights:
        network = _as_trained(network, options.weights)
    pictures = _chosen(network, options)
    yield Progress("loading torch", 0, len(pictures.facts))
    from cifartui.files import check_target
    from cifartui.inspection.activations import compute_activations, write_activations

    check_target(options.output)
    yield Progress("running the network", 0, len(pictures.facts))
    made = compute_activations(network, pictures, weights=options.weights, seed=options.seed, recipe=options.recipe)
    yield Progress("writing", len(pictures.facts), len(pictures.facts))
    return made, write_activations(made, options.output)


def _as_trained(network: Network, weights: str) -> Network:
    """The network for pictures and classes of the run whose weights it is given; of a file nothing is known."""
    from cifartui.evaluation.subject import names_file

    if names_file(weights):
        return network
    trained = find_run(weights.partition("@")[0]).config().network
    outputs = summarize(trained).output
    return adapted(network, trained.input, outputs[0]).network if len(outputs) == 1 else network


def _chosen(network: Network, options: argparse.Namespace) -> "ChosenPictures":
    from cifartui.inspection.chosen import from_dataset, from_files

    if options.image:
        return from_files(options.image, network)
    return from_dataset(options.dataset, options.split, options.picture)


def _check_choice(options: argparse.Namespace) -> None:
    if options.image and (options.dataset or options.picture):
        raise UsageError("Pictures come from a data set or from files; give --dataset and --picture, or --image.")
    if not options.image and not (options.dataset and options.picture):
        raise UsageError("No picture is named; give --dataset NAME and --picture N, or --image FILE.")
    count = len(options.image or options.picture)
    if count > MAX_PICTURES:
        raise UsageError(f"{count} pictures are too many at once; name at most {MAX_PICTURES}.")


def _line(made: "Activations", target: Path, written: int) -> str:
    operations, pictures = len(made.summary.operations), len(made.facts.pictures)
    line = (
        f"{target}: what {operations} {_plural(operations, 'operation')} of {made.facts.network.name} "
        f"({made.facts.weights}) make of {pictures} {_plural(pictures, 'picture')}, {written:,} bytes"
    )
    return f"{line}; the chain breaks there: {made.summary.problem}" if made.summary.problem else line


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
