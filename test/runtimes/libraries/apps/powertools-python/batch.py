from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.SQS)


def handle_record(record):
    if record.json_body.get("bad"):
        raise ValueError("a bad one")


def handler(event, context):
    return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
