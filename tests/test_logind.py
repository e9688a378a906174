"""What logging out does to a run: read from a tree of systemd's files."""

import os
import timeit
from pathlib import Path

import pytest

from cifartui.logind import logout_ends, read_killing

SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
HYBRID = "4:memory:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n0::/\n"
MANAGER = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/tmux-spawn-1.scope\n"
ELSEWHERE = ("0::/\n", "0::/system.slice/sshd.service\n", "0::/docker/0123\n", "", "rubbish \udcff")


def machine(root: Path, cgroup: str, files: dict[str, str] | None = None) -> Path:
    """A tree with the files that a machine would have."""
    for name, text in {"proc/self/cgroup": cgroup, **(files or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, errors="replace")
    return root


def login(**settings: str) -> str:
    """A file of logind's configuration."""
    return "[Login]\n" + "".join(f"{key}={value}\n" for key, value in settings.items())


@pytest.mark.parametrize("cgroup", [SESSION, HYBRID])
def test_a_session_that_is_killed_is_told_with_place_and_remedy(cgroup: str, tmp_path: Path) -> None:
    """One sentence: why, where that is set, what to do."""
    root = machine(tmp_path, cgroup, {"etc/systemd/logind.conf": login(KillUserProcesses="yes")})
    found = logout_ends(root, "ann")
    assert found is not None
    assert found.sentence == (
        "logging out would end this run: the login manager ends all that a session leaves behind "
        "(KillUserProcesses=yes in /etc/systemd/logind.conf); run `loginctl enable-linger` once and start it with "
        "`systemd-run --user --scope cifartui`"
    )
    (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
    (tmp_path / "var/lib/systemd/linger/ann").touch()
    found = logout_ends(root, "ann")  # lingering keeps the user's manager, not the session
    assert found is not None
    assert found.remedy == "start it with `systemd-run --user --scope cifartui`"


@pytest.mark.parametrize(
    ("settings", "ended"),
    [
        ({"KillUserProcesses": "no"}, set()),
        ({"KillUserProcesses": "On"}, {"ann", "bob"}),
        ({"KillUserProcesses": "perhaps"}, set()),
        ({"KillUserProcesses": "yes", "KillExcludeUsers": "root ann"}, {"bob"}),
        ({"KillUserProcesses": "yes", "KillOnlyUsers": "ann"}, {"ann"}),
        ({"KillUserProcesses": "no", "KillOnlyUsers": "ann carl"}, {"ann"}),
        ({"KillOnlyUsers": "ann bob", "KillExcludeUsers": "bob"}, {"ann"}),
        ({"KillUserProcesses": "yes", "KillExcludeUsers": "bob"}, {"ann", "root"}),
    ],
)
def test_whose_processes_are_killed(settings: dict[str, str], ended: set[str], tmp_path: Path) -> None:
    """The three settings together; root is spared as long as nobody else is named."""
    files = {
        "usr/lib/systemd/logind.conf": "[Login]\n#KillUserProcesses=no\n",
        "etc/systemd/logind.conf": login(**settings),
    }
    root = machine(tmp_path, SESSION, files)
    assert {user for user in ("ann", "bob", "root") if logout_ends(root, user)} == ended


def test_the_manager_of_a_user_ends_with_the_last_session_unless_the_user_lingers(tmp_path: Path) -> None:
    """Whatever the login manager does to sessions."""
    root = machine(tmp_path, MANAGER, {"etc/systemd/logind.conf": login(KillUserProcesses="no")})
    found = logout_ends(root, "ann")
    assert found is not None
    assert found.remedy == "run `loginctl enable-linger` once"
    (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
    (tmp_path / "var/lib/systemd/linger/ann").touch()
    assert logout_ends(root, "ann") is None


@pytest.mark.parametrize("cgroup", ELSEWHERE)
def test_what_no_session_holds_is_not_ended(cgroup: str, tmp_path: Path) -> None:
    """Services, containers, machines without systemd."""
    assert logout_ends(machine(tmp_path, cgroup, {"etc/systemd/logind.conf": login(KillUserProcesses="yes")})) is None
    assert logout_ends(tmp_path / "nowhere") is None


@pytest.mark.parametrize(("default", "kills"), [("no", False), ("yes", True), (None, True)])
def test_the_default_is_told_by_the_comment_of_the_file_that_came_with_it(
    default: str | None, kills: bool, tmp_path: Path
) -> None:
    """Distributions build it either way, and systemd itself kills."""
    comment = f"[Login]\n#KillUserProcesses={default}\n" if default else "[Login]\n"
    files = {"usr/lib/systemd/logind.conf": comment, "etc/systemd/logind.conf": "[Login]\n#NAutoVTs=6\n"}
    killing = read_killing(machine(tmp_path, SESSION, files))
    assert killing.kills is kills
    assert killing.place == f"KillUserProcesses={'yes' if kills else 'no'} is its default"


def test_drop_ins_come_by_name_and_hide_their_namesakes(tmp_path: Path) -> None:
    """The last name wins over all folders; of one name that in /etc; of the main files the first."""
    root = machine(
        tmp_path,
        SESSION,
        {
            "etc/systemd/logind.conf": login(KillUserProcesses="no", KillExcludeUsers="ann"),
            "usr/lib/systemd/logind.conf": login(KillExcludeUsers="zoe"),
            "usr/lib/systemd/logind.conf.d/90-vendor.conf": login(KillUserProcesses="yes"),
            "etc/systemd/logind.conf.d/10-first.conf": login(KillUserProcesses="no", KillExcludeUsers="bob"),
            "run/systemd/logind.conf.d/20-other.conf": "[Other]\nKillExcludeUsers=carl\n",
            "etc/systemd/logind.conf.d/95-not.txt": login(KillUserProcesses="no"),
        },
    )
    killing = read_killing(root)
    assert killing.kills
    assert killing.excluded == ("ann", "bob")
    assert killing.place == "KillUserProcesses=yes in /usr/lib/systemd/logind.conf.d/90-vendor.conf"
    (root / "etc/systemd/logind.conf.d/90-vendor.conf").symlink_to("/dev/null")
    assert not read_killing(root).kills
    (root / "etc/systemd/logind.conf.d/50-empty.conf").write_text(login(KillExcludeUsers=""))
    assert read_killing(root).excluded == ()


def test_files_that_are_none_are_passed_over_and_nothing_is_waited_for(tmp_path: Path) -> None:
    """A pipe in place of the configuration; the look takes no time that a start of a run would feel."""
    root = machine(tmp_path, SESSION)
    (root / "etc/systemd").mkdir(parents=True)
    os.mkfifo(root / "etc/systemd/logind.conf")
    assert logout_ends(root, "ann") is not None
    assert min(timeit.repeat(lambda: logout_ends(root, "ann"), number=1)) < 0.02
