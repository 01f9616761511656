import json

import six


def lambda_handler(event, context):
    print("handling", event["path"])
    return {
        "statusCode": 200,
        "body": json.dumps({"message": "hello world", "bundled": six.PY3}),
    }
