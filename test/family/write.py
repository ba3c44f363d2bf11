"""Writes the weights files of the table, one after the other.

    python3 write.py <folder> quick|complete [text in the names]

Prints a line of JSON for each: its name, what to load and how, the input, and what PyTorch computes; or why it could not be
written.
"""

import json
import sys
from pathlib import Path

import cases
from networks import image, network, result


def input_file(folder, shape):
    path = folder / f"input-{'x'.join(map(str, shape))}"
    if not path.exists():
        path.write_bytes(image(shape).numpy().astype("<f4").tobytes())
    return path


def write(case, folder):
    name = f"{case.form}: {case.name}"
    try:
        return {"name": name} | _written(case, folder)
    except Exception as error:  # so that the other cases are tried
        return {"name": name, "problem": f"it could not be written: {error}"[:500]}


def _written(case, folder):
    net = network(case.form, case.width, change=case.change)
    other = network(case.form, case.width, seed=2, change=case.change)
    folder.mkdir()
    return {
        "form": case.form,
        "width": case.width,
        "source": str(case.container(case.dialect(net, other), folder)),
        "folder": str(folder),
        "options": case.options,
        "isChanged": case.change is not None,
        "hasClassifier": net.num_classes > 0,
        "input": {"path": str(input_file(folder.parent, case.shape)), "shape": case.shape},
        "expected": result(net, case.shape).flatten().tolist(),
    }


def main(folder, table, only=""):
    chosen = [case for case in getattr(cases, table)() if only in f"{case.form}: {case.name}"]
    for number, case in enumerate(chosen):
        print(json.dumps(write(case, Path(folder) / str(number))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
