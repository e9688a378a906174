"""`cifartui runs pause | resume | step | rate …`: a command for each kind of control, made from its class."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from cifartui.cli.output import complain, print_json, say
from cifartui.cli.parsing import Commands, add_json, add_run
from cifartui.errors import CifartuiError
from cifartui.training.run.controls import AnyControl, Control, Stop
from cifartui.training.run.events import ControlDone, LossLogged, RunFinished, Warned
from cifartui.training.run.folder import Run, find_run
from cifartui.training.run.follow import command_and_wait, follow, outcome_of_stop, read_history
from cifartui.training.run.sentences import sentences_of

_ENVELOPE = {field.name for field in msgspec.structs.fields(Control)}


def add_commands(actions: Commands) -> None:
    """Add a command for each kind of control to those of `runs`."""
    for kind in get_args(AnyControl):
        parser = actions.add_parser(kind.__struct_config__.tag, help=kind.__doc__)
        add_run(parser)
        for field in _arguments(kind):
            _add_argument(parser, field)
        add_json(parser)
        parser.set_defaults(handler=steer, kind=kind)


def _arguments(kind: type[Control]) -> Iterator[msgspec.structs.FieldInfo]:
    return (field for field in msgspec.structs.fields(kind) if field.name not in _ENVELOPE)


def _add_argument(parser: argparse.ArgumentParser, field: msgspec.structs.FieldInfo) -> None:
    """A number or word is an argument, one with a default may be left out; what is usually done can be switched off."""
    kind = msgspec.inspect.type_info(field.type)
    described = (getattr(kind, "extra_json_schema", None) or {}).get("description", "")
    if field.default is True:
        parser.add_argument(f"--no-{field.name}", dest=field.name, action="store_false", help=described)
        return
    parser.add_argument(
        field.name,
        metavar=field.name.upper(),
        nargs=None if field.required else "?",
        default=None if field.required else field.default,
        type=_reader(field.type, described),
        help=described,
    )


def _reader(kind: Any, described: str) -> Callable[[str], Any]:
    """A value of this kind from the text of an argument, for `type=`."""

    def read(text: str) -> Any:
        try:
            return msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed: it is {described}") from error

    return read


def steer(options: argparse.Namespace) -> int:
    """Send a command to a living run, wait until it is carried out, and say what came of it."""
    run = find_run(options.run)
    control: AnyControl = options.kind(
        **{field.name: getattr(options, field.name) for field in _arguments(options.kind)}
    )
    before = read_history(run)[0].length
    answer = command_and_wait(run, control)
    if isinstance(answer, RunFinished):
        step = read_history(run)[0].step
        raise CifartuiError(f"Run {run.id} {answer.reason} at step {step:,}, before {control.command} was done.")
    if options.json:
        print_json(answer)
    else:
        for sentence in _told(run, before, answer):
            say(sentence)
        how = "taken" if isinstance(control, Stop) else "done"
        say(f"{control.command} {how} by {run.id} at step {answer.step:,}")
    if isinstance(control, Stop) and isinstance(outcome := outcome_of_stop(run, answer), Warned):
        complain(f"{outcome.message}.")
        return 1
    return 0


def _told(run: Run, before: int, answer: ControlDone) -> Iterator[str]:
    """What the run told while it carried a command out, but for its losses."""
    for reading in follow(run, first=before):
        for event in reading.events:
            if event.seq >= answer.seq:
                return
            if not isinstance(event, LossLogged):
                yield from sentences_of(event)
