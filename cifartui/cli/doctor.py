"""`cifartui doctor`."""

import argparse

import msgspec

from cifartui.cli.output import print_json, say
from cifartui.cli.parsing import Commands, add_json
from cifartui.logind import logout_ends


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    subject: str
    ok: bool
    finding: str
    cause: str = ""
    remedy: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """What `doctor --json` prints."""

    device: str
    name: str
    reason: str
    findings: list[Finding]


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser("doctor", help="say on which device this machine trains, and what is in the way")
    add_json(parser)
    parser.set_defaults(handler=doctor)


def doctor(options: argparse.Namespace) -> None:
    """Diagnose the training device."""
    diagnosis = diagnose()
    if options.json:
        print_json(diagnosis)
        return
    say(f"training runs on: {diagnosis.name} ({diagnosis.device}): {diagnosis.reason}")
    for finding in diagnosis.findings:
        say(f"{'✓' if finding.ok else '✗'} {finding.subject}: {finding.finding}")
        if finding.cause:
            say(f"    why: {finding.cause}")
        if finding.remedy:
            say(f"    do:  {finding.remedy}")


def diagnose() -> Diagnosis:
    """Look at torch and its devices."""
    import torch

    from cifartui.training.device import choose_device, cpu_name, cuda_obstacle, usable_cores

    choice = choose_device("auto")
    built_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPUs only"
    findings = [
        Finding("PyTorch", True, f"{torch.__version__}, built for {built_for}"),
        Finding("CPU", True, f"{cpu_name()}; {usable_cores()} of them usable"),
    ]
    obstacle = cuda_obstacle()
    if obstacle:
        findings.append(
            Finding(
                "GPU",
                False,
                "none can be used",
                obstacle,
                "nothing to mend if this machine has no NVIDIA GPU; "
                "otherwise install its driver, or a PyTorch built for the driver you have",
            )
        )
    else:
        findings.append(Finding("GPU", True, f"{choice.name} ran a convolution forwards and backwards"))
    findings.append(_logging_out())
    return Diagnosis(choice.device, choice.name, choice.reason, findings)


def _logging_out() -> Finding:
    ends = logout_ends()
    if ends is None:
        return Finding("logging out", True, "a run that is started here goes on")
    return Finding("logging out", False, "ends a run that is started here", ends.cause, ends.remedy)
