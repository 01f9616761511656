"""How answers become JSON: as the encoder of AWS's runtimes writes them, which knows decimals, bytes and named tuples.

Source: the marshaller of awslambdaric 4.2 (2026-11), which is simplejson with its defaults.
"""

import decimal
import json
import os

_ASCII_RUNTIMES = {"AWS_Lambda_python3.9", "AWS_Lambda_python3.10", "AWS_Lambda_python3.11"}
_SIMPLE = {str, int, float, bool, type(None)}


def dumps(value):
    # AWS: from Python 3.12 on, text leaves as it is; before, as ASCII with escapes.
    ascii_only = os.environ.get("AWS_EXECUTION_ENV") in _ASCII_RUNTIMES
    if _is_simple(value):
        return json.dumps(value, ensure_ascii=ascii_only)
    parts = []
    _write(value, parts.append, json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring, set())
    return "".join(parts)


def _is_simple(value):
    """Whether Python's own encoder, which is much faster, writes the same."""
    waiting, seen = [value], set()
    while waiting:
        at = waiting.pop()
        kind = type(at)
        if kind in _SIMPLE:
            continue
        if id(at) in seen:
            continue
        seen.add(id(at))
        if kind is list:
            waiting.extend(at)
        elif kind is dict:
            if any(type(key) is not str for key in at):
                return False
            waiting.extend(at.values())
        else:
            return False
    return True


def _write(value, write, quote, above):
    if isinstance(value, str):
        write(quote(value))
    elif isinstance(value, bytes):
        write(quote(str(value, "utf-8")))
    elif value is None or value is True or value is False:
        write(_word(value))
    elif isinstance(value, int):
        write(int.__repr__(int(value)))
    elif isinstance(value, float):
        write(_number(value))
    elif isinstance(value, decimal.Decimal):
        write("NaN" if value.is_nan() else str(value))
    else:
        if id(value) in above:
            raise ValueError("Circular reference detected")
        above.add(id(value))
        as_dict = getattr(value, "_asdict", None)
        if isinstance(value, list):
            _write_list(value, write, quote, above)
        elif callable(as_dict):
            _write_dict(as_dict(), write, quote, above)
        elif isinstance(value, tuple):
            _write_list(value, write, quote, above)
        elif isinstance(value, dict):
            _write_dict(value, write, quote, above)
        else:
            raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)
        above.discard(id(value))


def _write_list(values, write, quote, above):
    write("[")
    for index, value in enumerate(values):
        if index > 0:
            write(", ")
        _write(value, write, quote, above)
    write("]")


def _write_dict(members, write, quote, above):
    write("{")
    for index, (key, value) in enumerate(members.items()):
        if index > 0:
            write(", ")
        write(quote(_key(key)))
        write(": ")
        _write(value, write, quote, above)
    write("}")


def _key(key):
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return str(key, "utf-8")
    if key is None or key is True or key is False:
        return _word(key)
    if isinstance(key, int):
        return int.__repr__(int(key))
    if isinstance(key, float):
        return _number(key)
    raise TypeError("keys must be str, int, float, bool or None, not %s" % type(key).__name__)


def _word(value):
    return {None: "null", True: "true", False: "false"}[value]


def _number(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(float(value))
