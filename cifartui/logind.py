"""Whether logging out would end what this process starts: systemd's login manager can do that, a lost terminal cannot.

What ends at logout is decided by the control group: of a login session's scope, all of it where `KillUserProcesses=`
and the two lists beside it say so (logind.conf(5)); of the user's service manager, all of it unless the user lingers
(loginctl(1)), since the manager ends with the last session.
"""

import os
import pwd
import re
from pathlib import Path
from typing import NamedTuple

from cifartui.files import open_file

FOLDERS = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
"""Where logind's configuration stands, first come, first served; a drop-in hides others of its name."""
LINGERING = "var/lib/systemd/linger"
"""A file for each user who lingers."""
TRUE, FALSE = ("1", "yes", "y", "true", "t", "on"), ("0", "no", "n", "false", "f", "off")
MOST_BYTES = 1_000_000
"""Of a file that is read."""


class LogoutEnds(NamedTuple):
    """Why a logout would end a run that is started now, and what to do, each a part of a sentence."""

    cause: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Both, as a person is told at the start of a run."""
        return f"logging out would end this run: {self.cause}; {self.remedy}"


class Killing(NamedTuple):
    """What the login manager does to processes that a session leaves behind."""

    kills: bool
    only: tuple[str, ...]
    """If not empty, the users whose processes are killed, whatever `kills` says."""
    excluded: tuple[str, ...]
    place: str
    """Where `kills` is said."""

    def reaches(self, user: str) -> bool:
        """Whether the processes of a user are killed; of `manager_shall_kill` in logind."""
        if user in (self.excluded or ("root",)):
            return False
        return user in self.only if self.only else self.kills


def logout_ends(root: Path = Path("/"), user: str | None = None) -> LogoutEnds | None:
    """Say why logging out would end a run of this process; None if it would not, or where no systemd rules.

    `root` is the folder whose configuration and `proc/self/cgroup` are read; it takes a millisecond.
    """
    group = _read(root / "proc/self/cgroup")
    user = user or _user_name()
    lingers = (root / LINGERING / user).exists()
    to_linger = "" if lingers else "run `loginctl enable-linger` once"
    if re.search(r"/user@\d+\.service(/|$)", group, re.MULTILINE):
        if lingers:
            return None
        return LogoutEnds("the user's service manager, under which it runs, ends with the last session", to_linger)
    if re.search(r"/session-[^/\n]+\.scope(/|$)", group, re.MULTILINE):
        killing = read_killing(root)
        if killing.reaches(user):
            started = "start it with `systemd-run --user --scope cifartui`"
            return LogoutEnds(
                f"the login manager ends all that a session leaves behind ({killing.place})",
                f"{to_linger} and {started}" if to_linger else started,
            )
    return None


def read_killing(root: Path = Path("/")) -> Killing:
    """What logind's main file and its drop-ins say; where they do not, what it was built with."""
    files = [root / folder / "logind.conf" for folder in FOLDERS]
    main_file = next((file for file in files if file.exists()), None)
    built_with = next(
        filter(None, (re.search(r"^#KillUserProcesses=(\w+)", _read(file), re.M) for file in files)), None
    )
    kills = built_with is None or built_with[1].lower() in TRUE
    place = f"KillUserProcesses={'yes' if kills else 'no'} is its default"
    lists: dict[str, tuple[str, ...]] = {"KillOnlyUsers": (), "KillExcludeUsers": ()}
    for file in filter(None, (main_file, *_drop_ins(root))):
        for key, value in _settings(_read(file)):
            if key in lists:
                lists[key] = (*lists[key], *value.split()) if value else ()
            elif key == "KillUserProcesses" and value.lower() in TRUE + FALSE:
                kills = value.lower() in TRUE
                place = f"{key}={value} in /{file.relative_to(root)}"
    if lists["KillOnlyUsers"]:
        place = f"KillOnlyUsers={' '.join(lists['KillOnlyUsers'])}"
    return Killing(kills, lists["KillOnlyUsers"], lists["KillExcludeUsers"], place)


def _drop_ins(root: Path) -> list[Path]:
    """The drop-ins in the order in which they are read: by name, whatever their folder."""
    by_name: dict[str, Path] = {}
    for folder in FOLDERS:
        for file in (root / folder / "logind.conf.d").glob("*.conf"):
            by_name.setdefault(file.name, file)
    return [by_name[name] for name in sorted(by_name)]


def _settings(text: str) -> list[tuple[str, str]]:
    """The assignments of a file's section `[Login]`."""
    section, settings = "", []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Login]" and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            settings.append((key.strip(), value.strip()))
    return settings


def _read(file: Path) -> str:
    """A file's text; nothing if there is none, as a link to `/dev/null` hides a drop-in."""
    try:
        with open_file(file) as opened:
            return opened.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
