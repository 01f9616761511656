"""Reads responses with botocore's own parsers. Input: JSON lines of cases; output: what botocore makes of each."""

import base64
import datetime
import json
import sys

from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    return value


def read(case):
    metadata = dict(case["metadata"])
    metadata.setdefault("protocols", [metadata["protocol"]])
    model = ServiceModel({"metadata": metadata, "documentation": "", "operations": {}, "shapes": case["shapes"]})
    given = dict(case["given"])
    if metadata["protocol"] == "query" and "output" in given:
        # Real models name the wrapper; the cases leave it out.
        given["output"] = {**given["output"], "resultWrapper": given["name"] + "Result"}
    operation = OperationModel(given, model)
    parser = create_parser(metadata["protocol"])
    response = {
        "body": base64.b64decode(case["body"]),
        "headers": HeadersDict(case["headers"]),
        "status_code": case["status"],
        "context": {"operation_name": operation.name},
    }
    if case["error"]:
        parsed = parser.parse(response, None)
        shape = model.shape_for_error_code(parsed["Error"]["Code"])
        if shape is not None:
            modeled = parser.parse(response, shape)
            parsed = {**parsed, **{key: item for key, item in modeled.items() if key != "ResponseMetadata"}}
    else:
        parsed = parser.parse(response, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    return plain(parsed)


for line in sys.stdin:
    try:
        print(json.dumps({"parsed": read(json.loads(line))}))
    except Exception as error:  # what botocore cannot read is a result
        print(json.dumps({"failed": repr(error)}))
