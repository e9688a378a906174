"""What a person is told of each event, in lines; the same wherever it is read."""

from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    ControlDone,
    ControlRefused,
    EpochsChanged,
    LearningRateChanged,
    LineDamaged,
    LossLogged,
    MemoryExhausted,
    NotFiniteFound,
    Queued,
    RunFinished,
    RunStarted,
    SpeedMeasured,
    StepsReported,
    Validated,
    Warned,
    WentBack,
)


def sentences_of(event: AnyEvent) -> tuple[str, ...]:
    """The lines that a log has of an event; none for what is shown in other ways."""
    match event:
        case StepsReported() | SpeedMeasured():  # by far the most
            return ()
        case LossLogged():
            return (event.line,)
        case RunStarted():
            return _of_start(event)
        case ControlDone(command="pause"):  # a run that takes a step is paused again after each
            return ("paused",)
        case Queued():
            return (f"waiting for {', '.join(event.behind)}",)
        case Validated():
            raw = "" if event.raw_accuracy is None else f" (weights of the last step: {event.raw_accuracy:.1%})"
            return (f"epoch {event.epoch}: {event.accuracy:.1%} of {event.images:,} held-out images{raw}",)
        case CheckpointSaved():
            return (f"checkpoint saved at step {event.step:,} ({event.bytes:,} bytes)",)
        case CheckpointPruned():
            return (f"checkpoint of step {event.step:,} removed: {event.reason}",)
        case ControlRefused():
            return (f"{event.command} refused: {event.reason}",)
        case LearningRateChanged():
            return (f"learning rate {event.before:g} → {event.after:g} after step {event.step:,}",)
        case EpochsChanged():
            return (f"epochs {event.before} → {event.after}",)
        case WentBack():
            return (f"went back from step {event.left:,} to the checkpoint of step {event.step:,}",)
        case NotFiniteFound():
            skipped = "its update was" if event.skipped == 1 else f"the updates of {event.skipped:,} steps were"
            place = f"at step {event.step:,} (epoch {event.epoch}, batch {event.batch:,})"
            return (f"{event.what} was not finite {place}; {skipped} not applied",)
        case MemoryExhausted():
            fits = f"{event.fits:,} fit" if event.fits else "not even one fits"
            return (f"out of memory after step {event.step:,}: of {event.batch_size:,} images at once, {fits}",)
        case Warned():
            return (f"warning: {event.message}",)
        case LineDamaged():
            return (f"warning: {event.sentence}",)
        case RunFinished():
            return _of_end(event)
        case _:
            return ()


def facts_of(event: RunStarted) -> tuple[str, ...]:
    """What a run trains and on what, in lines, for where that is not in view anyway."""
    held_out = f" + {event.validation_images:,} held out" if event.validation_images else ""
    return (
        f"device: {event.device}: {event.device_reason}",
        f"training {event.network} ({event.parameters:,} parameters) on {event.dataset}: "
        f"{event.train_images:,} images{held_out}, batch {event.batch_size}, "
        f"{event.epochs} epochs of {event.steps_per_epoch:,} steps",
    )


def _of_start(event: RunStarted) -> tuple[str, ...]:
    if not event.step:
        return ()
    origin = f" of {event.parent}" if event.parent.endswith(f"@{event.step}") else ""
    return (f"going on after step {event.step:,}{origin}",)


def _of_end(event: RunFinished) -> tuple[str, ...]:
    match event.reason:
        case "finished":
            return ("Finished Training", *filter(None, (event.message,)))
        case "stopped":
            return (f"stopped {event.message}".rstrip(),)
        case "failed":
            return (f"failed: {event.message}",)
