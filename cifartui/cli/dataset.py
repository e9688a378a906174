"""`cifartui dataset import | list | show`."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cifartui.cli.output import complain, make_console, print_json, say, table, watch
from cifartui.cli.parsing import Commands, add_json, group
from cifartui.dataset.store import (
    MAX_SIZES,
    SKETCHES,
    SPLITS,
    DatasetFacts,
    LeftOut,
    PictureSize,
    is_prepared,
    load_facts,
    prepared_names,
)
from cifartui.errors import DataError, UsageError
from cifartui.text import bar, printable

if TYPE_CHECKING:
    from cifartui.dataset.decoding import Fit, Size

BAR_CELLS = 20
MAX_VARIANTS = 64
MAX_PREVIEWS = 64


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "dataset", "get pictures and look at what there is")

    importing = actions.add_parser(
        "import", help="import a folder or archive of class folders, or CIFAR-10's own files"
    )
    importing.add_argument("path", metavar="PATH", type=Path, help="a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz")
    importing.add_argument("--name", required=True, help="what the data set will be called here")
    _add_size(importing)
    add_json(importing)
    importing.set_defaults(handler=import_)

    surveying = actions.add_parser("survey", help="look at what an import would bring, without storing anything")
    surveying.add_argument("path", metavar="PATH", type=Path, help="a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz")
    _add_size(surveying)
    surveying.add_argument("--previews", type=int, default=0, metavar="N", help="with N pictures, in JSON (0)")
    add_json(surveying)
    surveying.set_defaults(handler=survey)

    fetching = actions.add_parser(
        "fetch",
        help="fetch CIFAR-10 or CIFAR-100 from the best of their sources, verified",
        description="Fetch a published data set. What came of it stays when it is cut short; the next fetch goes on.",
    )
    fetching.add_argument("dataset", metavar="NAME", nargs="?", default="cifar10", help="cifar10 (default) or cifar100")
    fetching.add_argument("--source", metavar="URL|PATH", help="fetch from this https address or local file instead")
    fetching.add_argument("--name", help="what it will be called here, if not as it is published")
    add_json(fetching)
    fetching.set_defaults(handler=fetch)

    listing = actions.add_parser("list", help="list the data sets on this machine")
    add_json(listing)
    listing.set_defaults(handler=list_)

    verifying = actions.add_parser("verify", help="hash a data set and compare with what was stored")
    verifying.add_argument("name", metavar="NAME")
    add_json(verifying)
    verifying.set_defaults(handler=verify)

    renaming = actions.add_parser("rename", help="give a data set another name")
    renaming.add_argument("name", metavar="NAME")
    renaming.add_argument("new_name", metavar="NEW_NAME")
    add_json(renaming)
    renaming.set_defaults(handler=rename)

    removing = actions.add_parser("remove", help="remove a data set; asks first")
    removing.add_argument("name", metavar="NAME")
    removing.add_argument("--yes", action="store_true", help="do not ask")
    removing.set_defaults(handler=remove)

    exporting = actions.add_parser("export", help="write a data set as class folders of PNGs")
    exporting.add_argument("name", metavar="NAME")
    exporting.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="a new folder (NAME, here)")
    add_json(exporting)
    exporting.set_defaults(handler=export)

    augmenting = actions.add_parser("augment", help="one picture as a recipe's augmentation changes it, as JSON")
    augmenting.add_argument("name", metavar="NAME")
    augmenting.add_argument("--picture", type=int, required=True, metavar="N", help="its number in the split, from 0")
    augmenting.add_argument("--split", choices=SPLITS, default="train", help="(train)")
    augmenting.add_argument("--recipe", default="tutorial", metavar="NAME|FILE", help="(tutorial)")
    augmenting.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of it")
    augmenting.add_argument("--count", type=int, default=6, metavar="N", help="how many variants (6)")
    add_json(augmenting)
    augmenting.set_defaults(handler=augment)

    showing = actions.add_parser("show", help="show counts and statistics of a data set")
    showing.add_argument("name", metavar="NAME")
    add_json(showing)
    showing.set_defaults(handler=show)


def _add_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", metavar="32|64x48", help="bring all pictures to this size (height x width)")
    parser.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        help="how: the middle (crop, if it is not said), all of it with black edges, or stretched",
    )


def _size_and_fit(options: argparse.Namespace) -> "tuple[Size | None, Fit]":
    from cifartui.dataset.decoding import parse_size

    if options.fit and options.size is None:
        raise UsageError("--fit says how pictures are brought to a size; name one with --size.")
    return None if options.size is None else parse_size(options.size), options.fit or "crop"


def import_(options: argparse.Namespace) -> None:
    """Import images from a path."""
    from cifartui.dataset.importing import import_dataset

    started = time.monotonic()
    size, fit = _size_and_fit(options)
    facts = watch(import_dataset(options.path, options.name, size, fit), as_json=options.json)
    if options.json:
        print_json(facts)
        return
    say(f"{facts.name}: {_counts(facts)} in {time.monotonic() - started:.1f} s")
    print_facts(facts)
    _say_next(facts)


def survey(options: argparse.Namespace) -> None:
    """Look at the images at a path."""
    from cifartui.dataset.surveying import survey_dataset

    size, fit = _size_and_fit(options)
    previews = min(max(options.previews, 0), MAX_PREVIEWS)
    found = watch(survey_dataset(options.path, size, fit, previews), as_json=options.json)
    if options.json:
        print_json(found)
        return
    rows = table("class", *SPLITS, right=SPLITS)
    for row in found.classes:
        rows.add_row(row.name, f"{row.train:,}", f"{row.validation:,}" if row.validation else "–", f"{row.test:,}")
    make_console().print(rows)
    say(f"{found.images:,} images")
    _print_sources(found.sizes, found.left_out)


def fetch(options: argparse.Namespace) -> None:
    """Fetch a published data set."""
    from cifartui.dataset.fetching.fetch import fetch_dataset

    started = time.monotonic()
    facts = watch(fetch_dataset(options.dataset, options.source, options.name), as_json=options.json)
    if options.json:
        print_json(facts)
        return
    say(f"{facts.name}: {facts.train:,} training and {facts.test:,} test images in {time.monotonic() - started:.1f} s")
    print_facts(facts)
    _say_next(facts)


def list_(options: argparse.Namespace) -> None:
    """List the prepared data sets."""
    prepared: list[DatasetFacts] = []
    for name in prepared_names():
        try:
            prepared.append(load_facts(name))
        except DataError as error:
            complain(str(error))
    if options.json:
        print_json(prepared)
        return
    numbers = ("train", "test", "classes", "size", "MB")
    rows = table("name", *numbers, "verified", "source", right=numbers)
    for facts in prepared:
        height, width = facts.image_size
        counts = (f"{facts.train:,}", f"{facts.test:,}", str(len(facts.classes)), f"{height}×{width}")
        verified = time.strftime("%Y-%m-%d", time.localtime(facts.verified)) if facts.verified else "–"
        rows.add_row(facts.name, *counts, f"{facts.bytes / 1e6:,.1f}", verified, facts.source)
    if not is_prepared(SKETCHES):
        rows.add_row(SKETCHES, "5,000", "1,000", "10", "32×32", "18.5", "–", "drawn by cifartui when first used")
    make_console().print(rows)


def verify(options: argparse.Namespace) -> None:
    """Verify one data set."""
    from cifartui.dataset.catalogue import verify_dataset

    facts = watch(verify_dataset(options.name), as_json=options.json)
    if options.json:
        print_json(facts)
        return
    say(f"{facts.name}: sha256 {facts.sha256} ✓")


def augment(options: argparse.Namespace) -> None:
    """Print variants of one picture."""
    from cifartui.training.launch import DEFAULT_SEED
    from cifartui.training.loading.preview import augmented
    from cifartui.training.recipes.files import load_recipe
    from cifartui.training.recipes.settings import override

    recipe = override(load_recipe(options.recipe), options.set)
    count = min(max(options.count, 1), MAX_VARIANTS)
    print_json(augmented(options.name, options.split, options.picture, recipe, DEFAULT_SEED, count))


def rename(options: argparse.Namespace) -> None:
    """Rename one data set."""
    from cifartui.dataset.catalogue import rename_dataset

    facts = rename_dataset(options.name, options.new_name)
    if options.json:
        print_json(facts)
        return
    say(f"{options.name} is now {facts.name}; runs on it find it by its content.")


def remove(options: argparse.Namespace) -> None:
    """Remove one data set, once that is confirmed."""
    from cifartui.dataset.catalogue import remove_dataset

    if not options.yes:
        if not sys.stdin.isatty():
            raise UsageError(f"{printable(options.name, 80)} is not removed without a question; add --yes.")
        if input(f"Remove {printable(options.name, 80)} from this machine? [y/N] ").strip().lower() not in ("y", "yes"):
            say("nothing removed")
            return
    remove_dataset(options.name)
    say(f"{options.name} is removed")


def export(options: argparse.Namespace) -> None:
    """Write one data set as pictures."""
    from cifartui.dataset.catalogue import export_dataset

    target = options.output or Path(options.name)
    written = watch(export_dataset(options.name, target), as_json=options.json)
    if options.json:
        print_json({"folder": str(target), "images": written})
        return
    say(f"{target}: {written:,} pictures in class folders")


def show(options: argparse.Namespace) -> None:
    """Show one data set."""
    facts = require_dataset(options.name, as_json=options.json)
    if options.json:
        print_json(facts)
        return
    say(f"{facts.name}: {_counts(facts)}, {facts.source}")
    print_facts(facts)


def require_dataset(name: str, *, as_json: bool = False) -> DatasetFacts:
    """The facts of a data set; the sketches are drawn when they are first asked for."""
    if name == SKETCHES and not is_prepared(name):
        from cifartui.dataset.sketches import prepare_sketches

        return watch(prepare_sketches(), as_json=as_json)
    return load_facts(name)


def print_facts(facts: DatasetFacts) -> None:
    """Print counts per class with bars, and the channels' statistics."""
    others = facts.splits[1:]
    rows = table("class", "train", "", *others, right=("train", *others))
    most = max(facts.class_counts.train)
    counts = [getattr(facts.class_counts, split) for split in others]
    for name, train, *more in zip(facts.classes, facts.class_counts.train, *counts, strict=True):
        rows.add_row(name, f"{train:,}", bar(train / most, BAR_CELLS), *(f"{images:,}" for images in more))
    make_console().print(rows)
    _print_sources(facts.sizes, facts.left_out)
    say(f"mean {_triple(facts.mean)}   std {_triple(facts.std)}   (red, green, blue on the scale 0-1)")


def _say_next(facts: DatasetFacts) -> None:
    """Print what is done with a data set that has come in."""
    say(f"next: cifartui train --dataset {facts.name}")


def _counts(facts: DatasetFacts) -> str:
    """`240 training, 30 validation and 60 test images of 64×48 (height × width)`."""
    height, width = facts.image_size
    held_out = f", {facts.validation:,} validation" if facts.validation else ""
    order = "" if height == width else " (height × width)"
    return f"{facts.train:,} training{held_out} and {facts.test:,} test images of {height}×{width}{order}"


def _print_sources(sizes: tuple[PictureSize, ...], left_out: tuple[LeftOut, ...]) -> None:
    """Print what sizes the pictures had, and what was left out."""
    if sizes:
        listed = ", ".join(f"{size.images:,} of {size.width}×{size.height}" for size in sizes)
        say(f"pictures: {listed}{' …' if len(sizes) == MAX_SIZES else ''}")
    for left in left_out:
        say(f"left out: {left.text}")


def _triple(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)
