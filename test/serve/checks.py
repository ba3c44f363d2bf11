"""Checks of a client: functions with a name, run one after another. Each prints a line of JSON."""

import asyncio
import inspect
import json
import sys
import traceback

import numpy as np

with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
only = sys.argv[2] if len(sys.argv) > 2 else ""
models = cases["models"]
limited = cases["limited"]
_checks = []


def check(name):
    """Makes a check of a function, which may be async."""

    def add(function):
        _checks.append((name, function))
        return function

    return add


def run(prefix):
    for name, function in _checks:
        if only not in f"{prefix}: {name}":
            continue
        problem = None
        try:
            result = function()
            if inspect.isawaitable(result):
                asyncio.run(_awaited(result))
        except BaseException as error:  # a check never ends the others
            frame = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{type(error).__name__}: {error} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
        print(json.dumps({"name": f"{prefix}: {name}", "problem": problem}), flush=True)


async def _awaited(result):
    return await asyncio.wait_for(result, 60)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def photo(model=models[0], position=0):
    """A picture of the cases, as its file is."""
    return read(model["files"][position]["path"])


def array_of(tensor):
    """The data of a tensor of the cases."""
    dtype = np.uint8 if tensor["datatype"] == "UINT8" else np.float32
    return np.frombuffer(read(tensor["path"]), dtype).reshape(tensor["shape"])


def same(what, found, path):
    """Bit for bit what the package computes."""
    expected = read(path)
    found = np.ascontiguousarray(found, np.float32).tobytes()
    assert found == expected, f"{what}: {len(found)} bytes, others than the {len(expected)} that the package computes"


def expect(what, found, expected):
    assert found == expected, f"{what}: {found!r}, not {expected!r}"


def refuses(action, kind, *texts):
    """The error of an action, which has some texts."""
    try:
        action()
    except kind as error:
        message = f"{error} {getattr(error, 'status', lambda: '')()}"
        for text in texts:
            assert text in message, f"no {text!r} in {message!r}"
        return error
    raise AssertionError(f"nothing was refused; expected {texts}")


def classes_match(answered, classes):
    """Elements of the classification extension, as score:index:label."""
    expect("number of classes", len(answered), len(classes))
    for element, one in zip(answered, classes):
        score, index, label = element.decode().split(":", 2)
        expect("class", (int(index), label), (one["index"], one["label"]))
        assert abs(float(score) - one["score"]) < 1e-6, f"{score}, not {one['score']}"
