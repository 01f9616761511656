import json

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
times = {}


def handle_record(record):
    id = record.dynamodb.new_image["id"]
    times[id] = times.get(id, 0) + 1
    print(json.dumps({"id": id, "times": times[id]}))
    if id == "bad" and times[id] == 1:
        raise ValueError("a bad one")


def handler(event, context):
    return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
