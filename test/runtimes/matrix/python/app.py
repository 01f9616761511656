import os
import signal
import time

STARTED = time.time()


def handler(event, context):
    wanted = event.get("do")
    if wanted == "fail":
        raise ValueError("boom")
    if wanted == "wait":
        time.sleep(20)
    if wanted == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(20)
    if wanted == "exit":
        os._exit(3)
    if wanted == "hoard":
        kept = []
        while True:
            kept.append(b"x" * 8_388_608)
    if wanted == "text":
        return "x" * (event["length"] - 2)
    if wanted == "count":
        return len(event["text"])
    if wanted == "env":
        return [os.environ[name] for name in ("MINE", "AWS_EXECUTION_ENV", "_HANDLER")]
    if wanted == "layer":
        import from_layer

        return from_layer.SAID
    if wanted == "tmp":
        with open("/tmp/kept", "a") as kept:
            kept.write("x")
        return os.path.getsize("/tmp/kept")
    if wanted == "started":
        return STARTED
    return event
