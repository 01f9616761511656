"""Runtime hooks for SnapStart: what a function wants done before its snapshot is taken, and after it has been restored.

The interface is that of AWS's library of this name, which its Python runtimes include.
"""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before_snapshot


def get_after_restore():
    return _after_restore
