"""What the commands' exit statuses mean, and which error has which."""

import errno

from safetensors import SafetensorError

from giqa_lib.checks import DataUnavailable, GiqaError

__all__ = ["EXIT_STATUS_HELP", "FAULT", "INTERRUPTED", "one_line", "status_of"]

FAULT, USAGE, REFUSED, NOT_HERE, SYSTEM, INTERRUPTED = 1, 2, 3, 4, 5, 130

EXIT_STATUS_HELP = """\
Exit status: 0 done; 1 a fault in giqa itself (please report it); 2 wrong usage; 3 what was given
cannot be used (the line says what and why); 4 data or weights are not on this machine; 5 the
system refused to read or write (disk full, no permission); 130 interrupted."""


def status_of(error: BaseException) -> int:
    """The exit status that stands for an error.

    >>> status_of(DataUnavailable("ffhq: not found")), status_of(OSError(28, "full")), status_of(KeyError("a"))
    (4, 5, 1)
    """
    if isinstance(error, DataUnavailable):
        return NOT_HERE
    if isinstance(error, GiqaError):
        return REFUSED
    if isinstance(error, OSError | SafetensorError | MemoryError):
        return SYSTEM
    return FAULT


def one_line(error: BaseException) -> str:
    """An error in one line: what happened, to what, and for the system's own what to do.

    >>> one_line(OSError(errno.ENOSPC, "No space left on device", "out/scores.csv"))
    'out/scores.csv: No space left on device; make room or write elsewhere'
    """
    if isinstance(error, GiqaError):
        return " ".join(str(error).split("\n"))
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        hint = _HINTS.get(error.errno or 0, "")
        return f"{place}{error.strerror or error}".replace("\n", " ") + hint
    if isinstance(error, MemoryError):
        return "out of memory; lower --batch-size or score fewer images at once"
    return f"{type(error).__name__}: {error}".replace("\n", " ")


_HINTS = {
    errno.ENOSPC: "; make room or write elsewhere",
    errno.EFBIG: "; the file may not grow so large: raise the limit or write elsewhere",
    errno.EDQUOT: "; make room or write elsewhere",
    errno.EROFS: "; write to another place, and set GIQA_STORE or pass --no-cache",
    errno.EACCES: "; give permission or write elsewhere (the cache: GIQA_STORE, or --no-cache)",
    errno.EPERM: "; give permission or write elsewhere (the cache: GIQA_STORE, or --no-cache)",
    errno.ENOENT: "; look for a misspelling, or write elsewhere",
    errno.ENAMETOOLONG: "; give a shorter name",
    errno.ENOTDIR: "; a file stands where a folder should (the cache: GIQA_STORE, or --no-cache)",
}
