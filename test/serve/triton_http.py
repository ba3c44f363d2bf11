"""tritonclient over HTTP."""

import base64
import http.client
import json
import urllib.request

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

from checks import array_of, cases, check, classes_match, expect, limited, models, photo, read, refuses, run, same

address = cases["server"]["http"]
client = triton.InferenceServerClient(address, concurrency=8)
other = triton.InferenceServerClient(limited["http"], concurrency=8)


def bearer():
    """The client writes into what it is given."""
    return {"Authorization": f"Bearer {limited['token']}"}


def files_input(*files, binary=True):
    """The input image. In JSON, files are text in base64."""
    array = np.empty(len(files), dtype=np.object_)
    array[:] = files if binary else [base64.b64encode(file) for file in files]
    tensor = triton.InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def tensor_input(tensor, binary=True):
    array = array_of(tensor)
    given = triton.InferInput("pixel_values", list(array.shape), tensor["datatype"])
    given.set_data_from_numpy(array, binary_data=binary)
    return [given]


def output(name="logits", **options):
    return [triton.InferRequestedOutput(name, **options)]


@check("health")
def _():
    assert client.is_server_live() and client.is_server_ready()
    for model in models:
        assert client.is_model_ready(model["name"]) and client.is_model_ready(model["name"], model["version"])
    assert not client.is_model_ready("x") and not client.is_model_ready("ghostnet", "3")


@check("metadata of the server")
def _():
    metadata = client.get_server_metadata()
    expect("name", metadata["name"], "ghostnet")
    assert {"binary_tensor_data", "classification"} <= set(metadata["extensions"])


@check("metadata, configuration and statistics of the models")
def _():
    for model in models:
        metadata = client.get_model_metadata(model["name"], model["version"])
        versions = [one["version"] for one in models if one["name"] == model["name"]]
        expect("versions", (metadata["name"], metadata["versions"]), (model["name"], versions))
        shapes = {one["name"]: one["shape"] for one in metadata["outputs"]}
        expect("logits", shapes["logits"], [-1, model["classes"]])
        expect("embedding", shapes["embedding"], [-1, model["features"]])
        config = client.get_model_config(model["name"], model["version"])
        expect("name", config["name"], model["name"])
        expect("inputs", [one["name"] for one in config["input"]], ["image", "pixel_values"])
        before = client.get_inference_statistics(model["name"], model["version"])["model_stats"][0]
        client.infer(model["name"], files_input(photo()), model["version"])
        after = client.get_inference_statistics(model["name"], model["version"])["model_stats"][0]
        expect("inferences", after["inference_count"], before["inference_count"] + 1)
    expect("statistics", len(client.get_inference_statistics()["model_stats"]), len(models))


@check("index of the repository")
def _():
    index = [(one["name"], one["version"], one["state"]) for one in client.get_model_repository_index()]
    expect("index", index, [(one["name"], one["version"], "READY") for one in models])


@check("what the server does not have is an error with its text")
def _():
    for action in (
        lambda: client.load_model("ghostnet"),
        lambda: client.unload_model("ghostnet"),
        client.get_trace_settings,
        lambda: client.update_trace_settings(settings={"trace_rate": "1"}),
        client.get_log_settings,
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        lambda: client.register_system_shared_memory("a", "/a", 8),
    ):
        refuses(action, InferenceServerException, "The server has nothing at this address", "404")


@check("files, as binary data and as JSON")
def _():
    for model in models:
        for one in model["files"]:
            for binary in (True, False):
                result = client.infer(model["name"], files_input(read(one["path"]), binary=binary), model["version"])
                same(one["path"], result.as_numpy("logits"), one["logits"])
                same(one["path"], result.as_numpy("embedding"), one["embedding"])
                expect("answer", (result.get_response()["model_version"]), model["version"])
                total = float(result.as_numpy("probabilities").sum())
                assert abs(total - 1) < 1e-5, f"the probabilities add up to {total}"


@check("tensors, as binary data and as JSON, answered as either")
def _():
    for model in models:
        for tensor in model["tensors"]:
            for binary in (True, False):
                result = client.infer(
                    model["name"], tensor_input(tensor, binary), model["version"], outputs=output(binary_data=binary)
                )
                same(tensor["path"], result.as_numpy("logits"), tensor["logits"])
                expect("outputs", [one["name"] for one in result.get_response()["outputs"]], ["logits"])


@check("several files in a request")
def _():
    for model in models:
        files = model["files"]
        result = client.infer(model["name"], files_input(*(read(one["path"]) for one in files)), model["version"])
        for row, one in zip(result.as_numpy("logits"), files):
            same(one["path"], row, one["logits"])


@check("classes")
def _():
    for model in models:
        for one in model["files"]:
            for binary in (True, False):
                outputs = output("probabilities", class_count=5, binary_data=binary)
                result = client.infer(
                    model["name"], files_input(read(one["path"])), model["version"], outputs=outputs
                )
                answered = result.as_numpy("probabilities")
                expect("shape", answered.shape, (1, 5))
                texts = [text if isinstance(text, bytes) else text.encode() for text in answered[0]]
                classes_match(texts, one["classes"])


@check("ids, sequences, priorities and parameters")
def _():
    result = client.infer(
        "ghostnet",
        files_input(photo()),
        request_id="request 7",
        sequence_id=3,
        sequence_start=True,
        sequence_end=True,
        priority=1,
        parameters={"mine": "x", "number": 4},
        headers={"x-mine": "1"},
        query_params={"a": 1},
    )
    expect("id", result.get_response()["id"], "request 7")


@check("the latest version without one")
def _():
    expect("version", client.infer("ghostnet", files_input(photo())).get_response()["model_version"], "2")


@check("compression")
def _():
    model = models[0]
    for algorithm in ("gzip", "deflate"):
        for tensor in model["tensors"]:
            result = client.infer(
                "ghostnet",
                tensor_input(tensor),
                "1",
                outputs=output(),
                request_compression_algorithm=algorithm,
                response_compression_algorithm=algorithm,
            )
            same(tensor["path"], result.as_numpy("logits"), tensor["logits"])


@check("requests at the same time")
def _():
    pending = []
    for _ in range(4):
        for model in models:
            for one in model["files"]:
                request = client.async_infer(model["name"], files_input(read(one["path"])), model["version"])
                pending.append((one, request))
    for one, request in pending:
        same(one["path"], request.get_result(timeout=60).as_numpy("logits"), one["logits"])


@check("the client for asyncio")
async def _():
    async with triton_aio.InferenceServerClient(address) as waiting:
        assert await waiting.is_server_live() and await waiting.is_server_ready()
        assert await waiting.is_model_ready("ghostnet", "1")
        expect("name", (await waiting.get_server_metadata())["name"], "ghostnet")
        one = models[0]["files"][0]
        result = await waiting.infer("ghostnet", files_input(read(one["path"])), "1")
        same(one["path"], result.as_numpy("logits"), one["logits"])


@check("a file without JSON")
def _():
    one = models[0]["files"][0]
    connection = http.client.HTTPConnection(address)
    headers = {"Inference-Header-Content-Length": "0", "Content-Type": "application/octet-stream"}
    connection.request("POST", "/v2/models/ghostnet/versions/1/infer", read(one["path"]), headers)
    response = connection.getresponse()
    length = response.headers["Inference-Header-Content-Length"]
    result = triton.InferenceServerClient.parse_response_body(response.read(), header_length=int(length))
    same(one["path"], result.as_numpy("logits"), one["logits"])


@check("bodies that the client makes and another sends")
def _():
    one = models[0]["files"][0]
    body, length = triton.InferenceServerClient.generate_request_body(files_input(read(one["path"])), outputs=output())
    request = urllib.request.Request(f"http://{address}/v2/models/ghostnet/versions/1/infer", bytes(body))
    request.add_header("Inference-Header-Content-Length", str(length))
    with urllib.request.urlopen(request) as response:
        length = int(response.headers["Inference-Header-Content-Length"])
        result = triton.InferenceServerClient.parse_response_body(response.read(), header_length=length)
    same(one["path"], result.as_numpy("logits"), one["logits"])


@check("wrong requests")
def _():
    def infer(inputs, model="ghostnet", version="1", **options):
        return lambda: client.infer(model, inputs, version, **options)

    def pixels(shape, datatype, array):
        given = triton.InferInput("pixel_values", shape, datatype)
        given.set_data_from_numpy(array)
        return [given]

    wrong_name = triton.InferInput("x", [1], "BYTES")
    wrong_name.set_data_from_numpy(np.array([b"x"], dtype=np.object_))
    integers = np.zeros((1, 3, 32, 32), np.int64)
    floats = np.zeros((1, 3, 32, 32), np.float32)
    turned = np.zeros((1, 32, 32, 3), np.float32)
    for action, *texts in (
        (infer(files_input(photo()), model="x"), '"x"', "ghostnet, second", "404"),
        (infer(files_input(photo()), version="9"), 'version "9"', "404"),
        (infer([wrong_name]), "no input of this name", "400"),
        (infer(files_input(photo()) + files_input(photo())), "wrong number of inputs", "400"),
        (infer(pixels([1, 3, 32, 32], "INT64", integers)), '"INT64"', "400"),
        (infer(pixels([1, 32, 32, 3], "FP32", turned)), "[N,3,H,W]", "400"),
        (infer(pixels([1, 3, 32, 32], "FP32", floats), outputs=output("x")), "no output of this name", "400"),
        (infer(files_input(b"no image")), "415"),
        (infer(files_input(photo()[:5000])), "422"),
        (infer(files_input(photo(), b"")), "4"),
        (infer(files_input(photo()), outputs=output("embedding", class_count=2)), "no classes", "400"),
    ):
        refuses(action, InferenceServerException, *texts)
    assert client.is_server_ready()


@check("the time that a request sets")
def _():
    files = files_input(*[photo()] * 60)
    refuses(lambda: client.infer("second", files, timeout=1), InferenceServerException, "The time that the client set", "504")


@check("a token")
def _():
    assert other.is_server_live() and other.is_server_ready() and other.is_model_ready("ghostnet")
    inputs = tensor_input(models[0]["tensors"][0])
    for headers in (None, {"Authorization": "Bearer wrong"}):
        for action in (
            lambda: other.infer("ghostnet", inputs, headers=headers),
            lambda: other.get_server_metadata(headers=headers),
            lambda: other.get_model_metadata("ghostnet", headers=headers),
        ):
            refuses(action, InferenceServerException, "token", "401")
    result = other.infer("ghostnet", inputs, headers=bearer())
    same("logits", result.as_numpy("logits"), models[0]["tensors"][0]["logits"])


@check("a body that is too large, compressed or not")
def _():
    array = np.zeros((1, 3, 224, 224), np.float32)
    given = triton.InferInput("pixel_values", list(array.shape), "FP32")
    given.set_data_from_numpy(array)
    for algorithm in (None, "gzip"):
        refuses(
            lambda: other.infer("ghostnet", [given], headers=bearer(), request_compression_algorithm=algorithm),
            InferenceServerException,
            "maxBodyBytes",
            "413",
        )


@check("more images than the queue takes")
def _():
    array = np.zeros((limited["maxQueue"] + 1, 3, 32, 32), np.float32)
    given = triton.InferInput("pixel_values", list(array.shape), "FP32")
    given.set_data_from_numpy(array)
    refuses(lambda: other.infer("ghostnet", [given], headers=bearer()), InferenceServerException, "maxQueue", "400")


@check("a queue that is full")
def _():
    array = np.zeros((limited["maxQueue"], 3, 64, 64), np.float32)
    given = triton.InferInput("pixel_values", list(array.shape), "FP32")
    given.set_data_from_numpy(array)
    pending = [other.async_infer("ghostnet", [given], headers=bearer()) for _ in range(40)]
    refused = 0
    for request in pending:
        try:
            request.get_result(timeout=60)
        except InferenceServerException as error:
            assert "maxQueue" in str(error) and error.status() == "429", f"{error} {error.status()}"
            refused += 1
    assert 0 < refused < len(pending), f"{refused} of {len(pending)} were refused"


run("tritonclient, HTTP")
