"""Implements the protocol of engines/README.md over stdin and stdout, for an engine in Python."""

import json
import sys
import time
import traceback


class Unavailable(Exception):
    """Raised by an engine that cannot take part on this machine, for a reason that is not a fault."""


def serve(open_engine):
    """Answers requests until stdin ends.

    open_engine takes the fields of the request `open` and returns the name of the engine, its settings, and a function that
    runs the network once and returns the logits as a NumPy array.
    """
    run = None

    def open_once(request):
        nonlocal run
        name, settings, run = open_engine(request)
        return {"name": name, "settings": settings}

    answer(
        {
            "open": open_once,
            "logits": lambda request: {"logits": run().reshape(-1).tolist()},
            "time": lambda request: {"milliseconds": _time(run, request["seconds"], request["calls"])},
        }
    )


def answer(handlers):
    """Answers requests until stdin ends. handlers: by the name of the request, from its fields to those of the reply."""
    # The output of libraries must not be taken for a reply.
    replies, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = handlers[request["do"]](request)
        except Unavailable as reason:
            reply = {"unavailable": str(reason)}
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), file=replies, flush=True)


def _time(run, seconds, calls):
    milliseconds = []
    end = time.perf_counter() + seconds
    while len(milliseconds) < calls or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        milliseconds.append((time.perf_counter() - start) * 1000)
    return milliseconds
