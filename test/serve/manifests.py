"""Validates examples/*.yaml by their schemas: those of Kubernetes, and the models that KServe's package is generated with.

Prints a line of JSON for each document: {"name", "problem"}.
"""

import json
import re
import sys
from datetime import datetime

import kserve.models
import kubernetes.client.models
import kubernetes_validate
import yaml

PRIMITIVES = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "datetime": (str, datetime)}


def model_of(name):
    for package in (kserve.models, kubernetes.client.models):
        found = getattr(package, name, None)
        if found is not None:
            return found
    raise TypeError(f"no schema of {name}")


def problems(value, kind, path):
    """What is wrong with a value that should be of a kind, in the notation of the generated models."""
    if match := re.fullmatch(r"[Ll]ist\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [found for at, item in enumerate(value) for found in problems(item, match[1], f"{path}[{at}]")]
    if match := re.fullmatch(r"[Dd]ict[(\[]str, (.*)[)\]]", kind):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        return [found for key, item in value.items() for found in problems(item, match[1], f"{path}.{key}")]
    if kind in PRIMITIVES:
        return [] if isinstance(value, PRIMITIVES[kind]) else [f"{path} is no {kind}"]
    if kind in ("ResourceQuantity", "Quantity", "IntstrIntOrString"):
        return [] if isinstance(value, (str, int)) else [f"{path} is no quantity"]
    model = model_of(kind)
    if not isinstance(value, dict):
        return [f"{path} is no object"]
    kinds = {key: model.openapi_types[name] for name, key in model.attribute_map.items()}
    unknown = [f"{path}.{key} is unknown" for key in value if key not in kinds]
    return unknown + [
        found for key, item in value.items() if key in kinds for found in problems(item, kinds[key], f"{path}.{key}")
    ]


KSERVE = {"ServingRuntime": "V1alpha1ServingRuntime", "InferenceService": "V1beta1InferenceService"}

for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        documents = list(yaml.safe_load_all(text))
    for document in documents:
        kind = document["kind"]
        try:
            if kind in KSERVE:
                found = problems(document, KSERVE[kind], kind)
            else:
                kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
                found = []
        except Exception as error:  # whatever the validator raises is a problem of the document
            found = [str(error)]
        print(json.dumps({"name": f"{file}: {kind} {document['metadata']['name']}", "problem": "; ".join(found) or None}))
