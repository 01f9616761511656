import time

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

def soon(attempts_max):
    return StepConfig(
        retry_strategy=create_retry_strategy(
            RetryStrategyConfig(
                max_attempts=attempts_max, initial_delay=Duration.from_seconds(1), max_delay=Duration.from_seconds(1)
            )
        )
    )


@durable_execution
def steps(event, context: DurableContext):
    greeting = context.step(lambda _: f"Hello, {event['name']}", name="greet")
    context.wait(Duration.from_seconds(1), name="pause")
    again = context.step(lambda _: greeting.upper(), name="again")
    return {"greeting": greeting, "again": again}


@durable_execution
def retries(event, context: DurableContext):
    first = context.step(lambda _: time.time(), name="clock")

    def flaky(_):
        if time.time() - first < event["seconds"]:
            raise ValueError("not yet")
        return "at last"

    return context.step(flaky, name="flaky", config=soon(3))


@durable_execution
def callbacks(event, context: DurableContext):
    callback = context.create_callback(name="approval", config=CallbackConfig())
    context.step(lambda _: print(f"callback={callback.callback_id}"), name="tell")
    return {"approved": callback.result()}


@durable_execution
def branches(event, context: DurableContext):
    def later(branch):
        branch.wait(Duration.from_seconds(1))
        return branch.step(lambda _: "r", name="right")

    parallel = context.parallel([lambda branch: branch.step(lambda _: "l", name="left"), later], name="both")
    squares = context.map(
        event["numbers"], lambda item, number, index, items: item.step(lambda _: number * number), name="squares"
    )
    child = context.run_in_child_context(lambda inner: inner.step(lambda _: 3, name="three"), name="inner")
    return {"parallel": parallel.get_results(), "map": squares.get_results(), "child": child}


@durable_execution
def invokes(event, context: DurableContext):
    return {"answer": context.invoke(event["target"], event["payload"], name="other")}


@durable_execution
def fails(event, context: DurableContext):
    raise ValueError("It cannot be done")


@durable_execution
def shouts(event, context: DurableContext):
    return "x" * event["length"]
