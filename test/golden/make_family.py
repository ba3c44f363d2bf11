"""Makes the golden data of GhostNetV2, V3, RepGhost and the first code in this folder with PyTorch and timm.

    python make_family.py path/to/the/first/ghostnet.py

Needs torch, timm and safetensors, and the file ghostnet.py of d-li14/ghostnet.pytorch. What it writes to data/:
  network_v2.safetensors           a small network: state dict under "state.", input, output (logits), features; computed in float64
  network_v3_branches.safetensors  the same for GhostNetV3 in training form
  network_v3_deployed.safetensors  the same network after timm's reparameterize()
  network_repghost.safetensors     a small RepGhost in training form
  network_repghost_deployed.safetensors
  network_first_code.safetensors   a small network of the first code, with the keys of that code
  seeds_family.json                SHA-256 of the parameters that timm's networks have after torch.manual_seed
"""

import copy
import json
import sys

import torch
from make import DATA, digest, load_reference, randomise
from safetensors.torch import save_file
from timm.models.ghostnet import GhostNet
from timm.models.repghost import RepGhostNet

STAGES = [
    [[3, 16, 16, 0, 1]],
    [[3, 48, 24, 0, 2]],
    [[5, 72, 40, 0.25, 2], [5, 120, 40, 0.25, 1]],
    [[3, 80, 56, 0, 1], [5, 64, 48, 0.5, 2]],
]
# timm gives attention to all stages but the first two.
TABLE = [[[*row, 1] if stage > 1 else row for row in rows] for stage, rows in enumerate(STAGES)]

SEEDS = [("v2", "ghostnetv2_050"), ("v3", "ghostnetv3_050"), (None, "repghostnet_050")]


def make_network(version, width=0.25):
    torch.manual_seed(2)
    net = GhostNet(STAGES, num_classes=3, width=width, version=version).eval()
    randomise(net)
    # An attention that matters: gates far from 1/2.
    for name, module in net.named_modules():
        if name.endswith("short_conv.5"):
            module.weight.data.mul_(3)
    return net


def features_of_timm(net, x):
    return net.forward_head(net.forward_features(x), pre_logits=True)


def save(net, case, name, features_of=None):
    x = torch.randn(2, 3, 47, 35, generator=torch.Generator().manual_seed(3))
    state = {f"state.{key}": value.clone() for key, value in net.state_dict().items()}
    wide = copy.deepcopy(net).double()
    with torch.no_grad():
        features = (features_of or features_of_timm)(wide, x.double())
        output = wide(x.double())
    arrays = {"input": x, "output": output.float(), "features": features.float()}
    case = {"stages": TABLE, "width": 0.25, "num_classes": 3} | case
    save_file(state | arrays, DATA / f"{name}.safetensors", metadata={"case": json.dumps(case)})


def make_networks():
    save(make_network("v2"), {"form": "norms"}, "network_v2")
    trained = make_network("v3")
    save(trained, {"form": "branches"}, "network_v3_branches")
    save(reparameterized(trained), {"form": "deployed"}, "network_v3_deployed")


def reparameterized(net):
    deployed = copy.deepcopy(net).double()
    for module in deployed.modules():
        if hasattr(module, "reparameterize"):
            module.reparameterize()
    return deployed.float()


def make_repghost():
    torch.manual_seed(4)
    net = RepGhostNet(STAGES, num_classes=3, width=0.25).eval()
    randomise(net)
    save(net, {"form": "branches", "stages": STAGES}, "network_repghost")
    save(reparameterized(net), {"form": "deployed", "stages": STAGES}, "network_repghost_deployed")


def make_first_code(path):
    first = load_reference(path)
    rows = [row for stage in STAGES for row in stage]
    torch.manual_seed(6)
    net = first.GhostNet(rows, num_classes=3, width_mult=0.25).eval()
    randomise(net)
    net.classifier[1].weight.data.uniform_(0.5, 1.5)
    net.classifier[1].bias.data.normal_(0, 0.2)
    net.classifier[1].running_mean.normal_(0, 0.2)
    net.classifier[1].running_var.uniform_(0.5, 1.5)

    def features_of(wide, x):
        return wide.classifier[:3](wide.squeeze(wide.features(x)).flatten(1))

    save(net, {"stages": [[row] for row in rows]}, "network_first_code", features_of)


def make_seeds():
    import timm

    cases = []
    for version, variant in SEEDS:
        stages = timm.create_model("ghostnet_100").cfgs
        torch.manual_seed(7)
        if version is None:
            net = timm.create_model(variant, num_classes=10)
        else:
            net = GhostNet(stages, num_classes=10, width=0.5, version=version)
        state = net.state_dict()
        sample = [name for name in state if state[name].dim() > 1][::20]
        cases.append(
            {
                "variant": variant,
                "numClasses": 10,
                "seed": 7,
                "parameters": {name: digest(state[name]) for name in sample},
                "all": digest(*(state[name] for name in sorted(state))),
            }
        )
    (DATA / "seeds_family.json").write_text(json.dumps(cases, indent=2) + "\n")


if __name__ == "__main__":
    make_networks()
    make_repghost()
    make_first_code(sys.argv[1])
    make_seeds()
