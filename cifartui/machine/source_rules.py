"""What follows from how the sources of the data sets answered."""

from cifartui.machine.facts import Source
from cifartui.machine.finding import Finding, fine, listed, problem, warning


def judge_sources(sources: tuple[Source, ...]) -> list[Finding]:
    """One for all together, and one for each that fails while others answer."""
    answering = [source for source in sources if not source.obstacle]
    if not answering:
        hosts: dict[str, list[str]] = {}
        for source in sources:
            hosts.setdefault(source.obstacle, []).append(source.host)
        why = "; ".join(f"{listed(names)} {obstacle}" for obstacle, names in hosts.items()) or "none is known"
        return [
            problem(
                "data sources",
                f"none of {len(sources)} can be reached",
                why,
                "see to the network (HTTPS_PROXY names a proxy), fetch from a file (dataset fetch --source PATH), or "
                "train on the sketches, which need none",
            )
        ]
    found = [_answers(source) for source in answering]
    for source in sources:
        if source.obstacle:
            found.append(
                warning(
                    f"source {source.host}",
                    "not all of its archives can be had",
                    f"it {source.obstacle}",
                    "nothing to do: a fetch takes another source",
                )
            )
    return found


def _answers(source: Source) -> Finding:
    files = f"{source.files} archive{'s' * (source.files != 1)}"
    return fine(f"source {source.host}", f"answers for {files} within {source.seconds or 0:.1f} s")
