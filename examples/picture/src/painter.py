"""The Mandelbrot set, drawn on request, by Python's standard library alone."""

import base64
import html
import math
import struct
import zlib

WIDTH, HEIGHT, STEPS = 320, 240, 60


def handler(event, context):
    name = (event.get("pathParameters") or {}).get("name")
    try:
        x, y, zoom = place(event.get("queryStringParameters") or {})
    except ValueError as error:
        return answer(400, "text/plain; charset=utf-8", str(error))
    if name is None:
        return answer(200, "text/html; charset=utf-8", page(x, y, zoom))
    if name != "picture.png":
        return answer(404, "text/plain; charset=utf-8", f"There is no {name} here.")
    picture = base64.b64encode(png(paint(x, y, zoom))).decode()
    return {**answer(200, "image/png", picture), "isBase64Encoded": True}


def answer(status, content_type, body):
    return {"statusCode": status, "headers": {"content-type": content_type}, "body": body}


def place(query):
    values = [float(query.get(key, default)) for key, default in (("x", -0.6), ("y", 0), ("zoom", 1))]
    if not all(map(math.isfinite, values)) or values[2] <= 0:
        raise ValueError("x, y and zoom are numbers, zoom above 0")
    return values


def page(x, y, zoom):
    step = 0.5 / zoom
    places = {"in": (x, y, zoom * 2), "out": (x, y, zoom / 2), "left": (x - step, y, zoom), "right": (x + step, y, zoom)}
    links = " ".join(f'<a href="{html.escape(link("", *to))}">{name}</a>' for name, to in places.items())
    picture = html.escape(link("picture.png", x, y, zoom))
    return f'<!doctype html><title>Mandelbrot</title><p>{links}</p><img src="{picture}" width="640" height="480">'


def link(path, x, y, zoom):
    return f"{path}?x={x}&y={y}&zoom={zoom}"


def paint(x, y, zoom):
    """Rows of pixels, a byte each: how soon a point leaves."""
    scale = 3 / (WIDTH * zoom)
    for row in range(HEIGHT):
        imaginary = y + (HEIGHT / 2 - row) * scale
        yield bytes(shade(complex(x + (column - WIDTH / 2) * scale, imaginary)) for column in range(WIDTH))


def shade(point):
    z = 0
    for step in range(STEPS):
        z = z * z + point
        if abs(z) > 2:
            return 255 - step * 255 // STEPS
    return 0


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
