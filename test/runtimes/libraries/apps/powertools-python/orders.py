from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError
from aws_lambda_powertools.event_handler.router import Router
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.shared.cookies import Cookie

logger = Logger()
metrics = Metrics()
tracer = Tracer()
router = Router()


@router.get("/orders/<number>")
@tracer.capture_method
def show(number: str):
    event = router.current_event
    logger.append_keys(number=number)
    logger.info("shown")
    tracer.put_annotation("number", number)
    return Response(
        status_code=200,
        content_type="application/json",
        body={"number": number, "sizes": event.get_query_string_value("size"), "agent": event.headers.get("user-agent")},
        cookies=[Cookie(name="seen", value=number), Cookie(name="theme", value="dark")],
    )


@router.post("/orders")
def make():
    order = router.current_event.json_body
    if order.get("amount", 0) < 1:
        raise BadRequestError("An order has an amount")
    logger.info("ordered")
    metrics.add_metric("ordered", MetricUnit.Count, order["amount"])
    return order, 201


@router.get("/pixel")
def pixel():
    return Response(status_code=200, content_type="image/png", body=bytes([0x89, 0x50, 0, 255]))


@router.get("/fails")
def fails():
    raise RuntimeError("it failed")


http, rest = APIGatewayHttpResolver(), APIGatewayRestResolver()
for resolver in (http, rest):
    resolver.include_router(router)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    return (http if event.get("version") == "2.0" else rest).resolve(event, context)
