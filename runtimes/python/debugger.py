"""Lets a debugger in where one is asked for: by debugpy, of the function's package, its layers or the host's Python."""

import os
import sys

# A port, then folders to look for debugpy in: the function has not been named yet.
VARIABLE = "PYTHON_DEBUGPY_LISTEN"


def listen():
    """Why no debugger can attach, where one was to."""
    wanted = os.environ.pop(VARIABLE, "")
    if not wanted:
        return None
    port, *places = wanted.split(":")
    before = list(sys.path)
    sys.path[1:1] = places
    # It would warn that modules which came with Python are not stepped into.
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    try:
        import debugpy

        debugpy.listen(("127.0.0.1", int(port)))
    except ImportError:
        return "debugpy is not there: install it into the function's package or a layer (pip install debugpy)"
    except Exception as error:
        return "debugpy cannot listen: %s" % error
    finally:
        os.environ.pop("PYDEVD_DISABLE_FILE_VALIDATION", None)
        sys.path[:] = [path for path in sys.path if path in before or path not in places]
    return None
