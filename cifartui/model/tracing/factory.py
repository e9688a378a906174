"""The user's own module: their code imported and their factory called, whatever comes of it."""

import contextlib
import importlib
import inspect
import sys
import traceback
from pathlib import Path

from torch import nn
from torch.nn.parameter import is_lazy

from cifartui.errors import CifartuiError
from cifartui.model.network import Network
from cifartui.text import printable


class FactoryError(CifartuiError):
    """Code of the user's own that does not give a module; the sentence names the factory."""


def module_from_factory(network: Network) -> nn.Module:
    """Import the network's factory and call it; the module comes in training mode, on the CPU.

    The network's folder stays the first in which Python looks. What the code prints goes to stderr.

    Raises:
        FactoryError: there is no such module or name, its code raises, or it gives something else.
    """
    if network.folder not in sys.path[:1]:
        sys.path.insert(0, network.folder)
    importlib.invalidate_caches()
    with contextlib.redirect_stdout(sys.stderr):
        made = _called(network)
    if not isinstance(made, nn.Module):
        raise FactoryError(f"{network.factory} gave {_kind(made)} and not a torch.nn.Module; let it return the module.")
    lazy = next((name for name, parameter in made.named_parameters() if is_lazy(parameter)), "")
    if lazy:
        raise FactoryError(
            f"{network.factory} gave a module in which {printable(lazy, 200)} has no size yet; "
            "replace its lazy layers by ones with sizes."
        )
    try:
        return made.cpu().train()
    except Exception as error:  # such as weights on the meta device, which have no values
        raise _complaint(f"Bringing the module of {network.factory} to the CPU", error, network) from error


def spelled(error: BaseException, folder: str) -> str:
    """What code of the user's raised: `raised ValueError: too small (net.py, line 7)`."""
    try:
        text = str(error).strip()
    except Exception:  # an exception of the user's own may fail at this too
        text = ""
    place = _place(error, folder)
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return f"needed more memory than it may take{place}"
    first_line = printable(text.split("\n")[0], 300)
    return f"raised {type(error).__name__}{': ' * bool(first_line)}{first_line}{place}"


def _called(network: Network) -> object:
    """What the factory returns."""
    module_name, _, name = network.factory.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise FactoryError(f"Importing {module_name} {spelled(error, network.folder)}; install it.") from error
        remedy = f"write {module_name[:-3]}:{name}" if module_name.endswith(".py") else "check the name and the folder"
        raise FactoryError(
            f"There is no module {module_name} in {printable(network.folder)} or among the installed packages; "
            f"{remedy}."
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _complaint(f"Importing {module_name}", error, network) from error
    factory = vars(module).get(name)
    if factory is None:
        where = getattr(module, "__file__", None)
        raise FactoryError(
            f"Module {module_name}{f' ({printable(where)})' if where else ''} has no {name}; check both names."
        )
    if not callable(factory):
        raise FactoryError(
            f"{network.factory} is {_kind(factory)}, which cannot be called; "
            "name a class or function that gives the module."
        )
    try:
        inspect.signature(factory).bind()
    except TypeError as error:
        raise FactoryError(
            f"{network.factory} cannot be called without arguments ({printable(str(error), 200)}); "
            "name a function that calls it with them."
        ) from error
    except ValueError:
        pass  # some callables do not tell their arguments
    try:
        made: object = factory()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _complaint(network.factory, error, network) from error
    return made


def _complaint(what: str, error: BaseException, network: Network) -> FactoryError:
    return FactoryError(f"{what} {spelled(error, network.folder)}; correct that and try again.")


def _kind(value: object) -> str:
    name = printable(type(value).__name__, 80)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _place(error: BaseException, folder: str) -> str:
    """The last line of the user's that had part in it: ` (net.py, line 7)`; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({printable(Path(error.filename).name, 80)}, line {error.lineno})"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return f" ({printable(str(path.relative_to(folder)), 80)}, line {frame.lineno})"
    return ""
