"""What is answered and logged differs by runtime in small things: each of these shows some of them."""

import collections
import datetime
import decimal
import enum
import logging
import os

Point = collections.namedtuple("Point", "x y")


class Colour(enum.IntEnum):
    RED = 1


def recurse():
    recurse()


def context(_event, given):
    return [given.get_remaining_time_in_millis() > 0, repr(given.identity), repr(given.client_context), given.w3c()]


def log(_event, _context):
    logger = logging.getLogger("mine")
    logger.warning("careful %s", "now", extra={"more": [1]})
    logger.error({"a": 1})
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception("caught")
    print("printed")


CASES = {
    "nothing": lambda *_: None,
    "bytes": lambda *_: b'{"raw": true}',
    "nested": lambda *_: {"bytes": b"b", "decimal": decimal.Decimal("1.10"), "point": Point(1, (2,)), 3: Colour.RED},
    "nan": lambda *_: [float("nan"), float("inf"), decimal.Decimal("NaN")],
    "text": lambda *_: "tëxt \u2028",
    "set": lambda *_: {1},
    "date": lambda *_: datetime.datetime(2020, 1, 1),
    "keys": lambda *_: {(1, 2): 3},
    "recurse": lambda *_: recurse(),
    "unicode": lambda *_: {}["schlüssel"],
    "context": context,
    "log": log,
    "environment": lambda *_: sorted(name for name in os.environ if name.startswith("_")),
}


def handler(event, given):
    return CASES[event["case"]](event, given)
