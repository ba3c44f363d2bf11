"""Python packages that the benchmark installs for itself, separate from the packages of the machine."""

import subprocess
import sys
from pathlib import Path

from serve import Unavailable

_folder = Path(__file__).resolve().parent.parent / "peers" / "python"
_index = "https://download.pytorch.org/whl/cpu"


def use(engine, requirements):
    """Makes packages importable; installs them on first use.

    requirements: exact versions, in the syntax of pip.
    Raises Unavailable if pip cannot get them.
    """
    folder = _folder / engine
    done = folder / "installed.txt"
    if not done.exists() or done.read_text().split() != requirements:
        _install(folder, requirements)
        done.write_text("\n".join(requirements))
    sys.path.insert(0, str(folder))


def _install(folder, requirements):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # So that an index that does not answer costs seconds, not minutes.
    command += ["--retries", "0", "--timeout", "5", "--extra-index-url", _index]
    command += ["--upgrade", "--target", str(folder), *requirements]
    pip = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if pip.returncode != 0:
        lines = pip.stdout.strip().splitlines()
        raise Unavailable(f"pip cannot install {' '.join(requirements)}: {lines[-1] if lines else 'no output'}")
