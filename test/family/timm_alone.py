"""Imports timm without torchvision.

timm needs torchvision for the transforms of pictures alone, which no test here uses, but it imports them on its own import. The
torchvision of PyPI is built for the CUDA builds of PyTorch and does not load beside a CPU build. So every name of torchvision is
an empty class here: enough for timm to be imported, and to derive classes of its own.
"""

import importlib.machinery
import sys
import types


class _EmptyClass(type):
    def __getattr__(cls, name):
        """Members of an enumeration, such as InterpolationMode.NEAREST, are the keys of dicts: each is its name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class _Torchvision:
    """A finder and loader of torchvision and every module in it."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] != "torchvision":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = _empty_class
        return module

    def exec_module(self, module):
        pass


def _empty_class(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _EmptyClass(name, (), {})


# In front, so that a torchvision of the machine is not tried.
sys.meta_path.insert(0, _Torchvision())

import timm  # noqa: E402, F401
