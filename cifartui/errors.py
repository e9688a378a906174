"""Errors meant for people: one sentence that says what, why and what to do, and the exit code that goes with it."""

import errno


class CifartuiError(Exception):
    """Something a person can act on; `str()` is the whole sentence."""

    exit_code = 1


class UsageError(CifartuiError):
    """A command, recipe or setting that cannot be meant."""

    exit_code = 2


class DataError(CifartuiError):
    """Something that was not found, or is damaged."""

    exit_code = 3


_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "your disk quota is used up; free some space and try again",
    errno.EFBIG: "the file would be larger than this account may write; raise the limit (ulimit -f) and try again",
    errno.EACCES: "permission denied; check who may read and write it",
    errno.EPERM: "permission denied; check who may read and write it",
    errno.EROFS: "the file system is read-only; make it writable, or set CIFARTUI_HOME to a folder that is",
    errno.EIO: "the disk answers with an input/output error; see whether it fails (dmesg) and try again",
    errno.ENOENT: "there is no such file; check the path",
    errno.EISDIR: "it is a folder, not a file; name a file",
    errno.ENOTDIR: "a part of the path is a file, not a folder; check the path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def explain(error: OSError) -> CifartuiError:
    """Turn an operating-system error into a sentence that names the file, the cause and the remedy."""
    remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror or error}; check the path and try again")
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    where = f"{error.filename}: " if error.filename else ""
    return (DataError if missing else CifartuiError)(f"{where}{remedy}.")


def obstacle(error: OSError) -> str:
    """What `explain` says, as a part of a sentence by someone who tries again himself."""
    return str(explain(error)).removesuffix(".").removesuffix(" and try again")
