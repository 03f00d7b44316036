"""A small TAP printer for the tests that are written in Python.

    import tap

    def test_something():
        tap.ok("two and two", 2 + 2 == 4)

    if __name__ == "__main__":
        tap.run([test_something])
        tap.done()

The plan is printed last, so a test that dies half-way has no plan and counts as
failed. Everything else that a test wants to say goes through note(): a line that
is neither result nor comment may not stand in the stream.
"""

import sys
import traceback

_count = 0
_failed = 0


def note(text):
    """Print 'text' as comment lines."""
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def _clean(name):
    # '#' would begin a directive, and a name is one line.
    return " ".join(str(name).split()).replace("#", "\\#")


def _result(good, name, directive=""):
    global _count, _failed
    _count += 1
    if not good:
        _failed += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {_clean(name)}{directive}", flush=True)


def ok(name, cond, detail=""):
    """One result. 'detail' is shown when it is a failure. Returns whether it was good."""
    _result(bool(cond), name)
    if not cond and detail != "":
        note(detail)
    return bool(cond)


def equal(name, got, want):
    """ok() that shows both values when they differ."""
    return ok(name, got == want, f"got:  {got!r}\nwant: {want!r}")


def skip(name, reason):
    """A result that was not asked for, with the reason why."""
    _result(True, name, " # SKIP " + " ".join(str(reason).split()))


def run(functions):
    """Call each function; an exception that escapes one is a failure with its traceback."""
    for function in functions:
        try:
            function()
        except Exception:
            _result(False, function.__name__)
            note(traceback.format_exc())


def done():
    """Print the plan and leave: status 1 if anything failed or nothing ran."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed or not _count else 0)
