"""The files and folders that weights are saved in: functions of an object and a new folder, to what shall be loaded."""

import timm_alone  # noqa: F401
import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import save_file
from timm.models import save_for_hf


def safetensors(state, folder):
    # It refuses tensors that share memory, as those of a module do that stands at two places.
    save_file({key: value.clone() for key, value in state.items()}, folder / "model.safetensors")
    return folder / "model.safetensors"


def torch_zip(value, folder):
    torch.save(value, folder / "model.pth")
    return folder / "model.pth"


def torch_legacy(value, folder):
    torch.save(value, folder / "model.pth.tar", _use_new_zipfile_serialization=False)
    return folder / "model.pth.tar"


def as_it_is(content, folder):
    (folder / "checkpoint.pth.tar").write_bytes(content)
    return folder / "checkpoint.pth.tar"


def shards(state, folder):
    return _shards(state, folder, "*.safetensors", safe_serialization=True)


def shards_of_pickles(state, folder):
    return _shards(state, folder, "*.bin", safe_serialization=False)


def _shards(state, folder, pattern, safe_serialization):
    save_torch_state_dict(state, folder, max_shard_size="500KB", safe_serialization=safe_serialization)
    if len(list(folder.glob(pattern))) < 2:
        raise AssertionError("the state dict is too small for several shards")
    return folder


def shards_by_index(state, folder):
    return shards(state, folder) / "model.safetensors.index.json"


def timm_folder(net, folder):
    save_for_hf(net, folder, safe_serialization=True)
    return folder


def timm_folder_of_pickles(net, folder):
    save_for_hf(net, folder, safe_serialization=False)
    return folder
