"""tritonclient over gRPC, the health service, and the .proto file of the package."""

import os
import queue
import subprocess
import sys
import tempfile

import grpc
import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from checks import array_of, cases, check, classes_match, expect, limited, models, photo, read, refuses, run, same

address = cases["server"]["grpc"]
client = triton.InferenceServerClient(address)
other = triton.InferenceServerClient(limited["grpc"])
bearer = {"authorization": f"Bearer {limited['token']}"}


def files_input(*files):
    array = np.empty(len(files), dtype=np.object_)
    array[:] = files
    tensor = triton.InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(array)
    return [tensor]


def tensor_input(array, datatype="FP32", name="pixel_values"):
    given = triton.InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array)
    return [given]


def output(name="logits", **options):
    return [triton.InferRequestedOutput(name, **options)]


@check("the shipped .proto file has the names, numbers and types of Triton")
def _():
    folder, name = os.path.split(cases["protocol"])
    with tempfile.TemporaryDirectory() as output_folder:
        path = os.path.join(output_folder, "descriptors")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_out={path}", name]
        subprocess.run(command, check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(read(path)).file
    shipped = {}
    for file in files:
        for message in file.message_type:
            add_messages(shipped, f"{file.package}.{message.name}", message)
        expect("methods", [one.name for one in file.service[0].method], methods)
    assert len(shipped) > 15, sorted(shipped)
    pool = service_pb2.DESCRIPTOR.pool
    for name, fields in shipped.items():
        expect(name, fields, fields_of(proto_of(pool.FindMessageTypeByName(name))))


# Those of the protocol. Triton has more.
methods = ["ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"]


def add_messages(messages, name, message):
    messages[name] = fields_of(message)
    for nested in message.nested_type:
        add_messages(messages, f"{name}.{nested.name}", nested)


def fields_of(message):
    return {one.name: (one.number, one.type, one.label, one.type_name) for one in message.field}


def proto_of(descriptor):
    proto = descriptor_pb2.DescriptorProto()
    descriptor.CopyToProto(proto)
    return proto


@check("health")
def _():
    assert client.is_server_live() and client.is_server_ready()
    for model in models:
        assert client.is_model_ready(model["name"]) and client.is_model_ready(model["name"], model["version"])
    refuses(lambda: client.is_model_ready("x"), InferenceServerException, '"x"', "NOT_FOUND")


@check("grpc.health.v1.Health")
def _():
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        for service in ("", "inference.GRPCInferenceService"):
            request = health_pb2.HealthCheckRequest(service=service)
            expect("status", stub.Check(request).status, serving)
            watch = stub.Watch(request)
            expect("status", next(watch).status, serving)
            watch.cancel()
        unknown = health_pb2.HealthCheckRequest(service="x")
        error = refuses(lambda: stub.Check(unknown), grpc.RpcError)
        expect("code", error.code(), grpc.StatusCode.NOT_FOUND)


@check("metadata of the server and the models")
def _():
    expect("name", client.get_server_metadata().name, "ghostnet")
    expect("name", client.get_server_metadata(as_json=True)["name"], "ghostnet")
    for model in models:
        metadata = client.get_model_metadata(model["name"], model["version"])
        versions = [one["version"] for one in models if one["name"] == model["name"]]
        expect("versions", (metadata.name, list(metadata.versions)), (model["name"], versions))
        shapes = {one.name: list(one.shape) for one in metadata.outputs}
        expect("logits", shapes["logits"], [-1, model["classes"]])
        expect("embedding", shapes["embedding"], [-1, model["features"]])
        inputs = [(one.name, one.datatype, list(one.shape)) for one in metadata.inputs]
        expect("inputs", inputs, [("image", "BYTES", [-1, 1]), ("pixel_values", "FP32", [-1, 3, -1, -1])])


@check("what the server does not have is UNIMPLEMENTED")
def _():
    for action in (
        lambda: client.get_model_config("ghostnet"),
        client.get_inference_statistics,
        client.get_model_repository_index,
        lambda: client.load_model("ghostnet"),
        lambda: client.unload_model("ghostnet"),
        client.get_trace_settings,
        client.get_log_settings,
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
    ):
        refuses(action, InferenceServerException, "UNIMPLEMENTED")


@check("a stream is UNIMPLEMENTED")
def _():
    answers = queue.Queue()
    streaming = triton.InferenceServerClient(address)
    streaming.start_stream(lambda result, error: answers.put((result, error)))
    try:
        streaming.async_stream_infer("ghostnet", files_input(photo()))
    except InferenceServerException:
        pass  # the answer was here before; it is in the queue, too
    result, error = answers.get(timeout=30)
    assert result is None and "UNIMPLEMENTED" in str(error), f"{result} {error}"
    streaming.stop_stream()
    streaming.close()


@check("files")
def _():
    for model in models:
        for one in model["files"]:
            result = client.infer(model["name"], files_input(read(one["path"])), model["version"])
            same(one["path"], result.as_numpy("logits"), one["logits"])
            same(one["path"], result.as_numpy("embedding"), one["embedding"])
            expect("version", result.get_response().model_version, model["version"])
            total = float(result.as_numpy("probabilities").sum())
            assert abs(total - 1) < 1e-5, f"the probabilities add up to {total}"


@check("tensors")
def _():
    for model in models:
        for tensor in model["tensors"]:
            inputs = tensor_input(array_of(tensor), tensor["datatype"])
            result = client.infer(model["name"], inputs, model["version"], outputs=output())
            same(tensor["path"], result.as_numpy("logits"), tensor["logits"])
            expect("outputs", [one.name for one in result.get_response().outputs], ["logits"])


@check("several files in a request, also in a column")
def _():
    for model in models:
        files = model["files"]
        inputs = files_input(*(read(one["path"]) for one in files))
        for shape in ([len(files)], [len(files), 1]):
            inputs[0].set_shape(shape)
            result = client.infer(model["name"], inputs, model["version"])
            for row, one in zip(result.as_numpy("logits"), files):
                same(one["path"], row, one["logits"])


@check("typed contents")
def _():
    with grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for model in models[:1]:
            for tensor in model["tensors"] + [None]:
                request = service_pb2.ModelInferRequest(model_name=model["name"], model_version=model["version"])
                given = request.inputs.add()
                if tensor is None:
                    one = model["files"][0]
                    given.name, given.datatype = "image", "BYTES"
                    given.shape.append(1)
                    given.contents.bytes_contents.append(read(one["path"]))
                else:
                    one = tensor
                    given.name, given.datatype = "pixel_values", tensor["datatype"]
                    given.shape.extend(tensor["shape"])
                    is_float = tensor["datatype"] == "FP32"
                    values = given.contents.fp32_contents if is_float else given.contents.uint_contents
                    values.extend(array_of(tensor).ravel().tolist())
                result = triton.InferResult(stub.ModelInfer(request))
                same(one["path"], result.as_numpy("logits"), one["logits"])


@check("classes")
def _():
    for model in models:
        for one in model["files"]:
            outputs = output("probabilities", class_count=5)
            result = client.infer(model["name"], files_input(read(one["path"])), model["version"], outputs=outputs)
            answered = result.as_numpy("probabilities")
            expect("shape", answered.shape, (1, 5))
            classes_match(answered[0], one["classes"])


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
    )
    expect("id", result.get_response().id, "request 7")
    expect("version", result.get_response(as_json=True)["model_version"], "2")


@check("compression")
def _():
    for algorithm in ("gzip", "deflate"):
        for tensor in models[0]["tensors"]:
            inputs = tensor_input(array_of(tensor), tensor["datatype"])
            result = client.infer("ghostnet", inputs, "1", outputs=output(), compression_algorithm=algorithm)
            same(tensor["path"], result.as_numpy("logits"), tensor["logits"])


@check("requests at the same time")
def _():
    answers = queue.Queue()
    expected = []
    for _ in range(4):
        for model in models:
            for one in model["files"]:
                expected.append(one)
                client.async_infer(
                    model["name"],
                    files_input(read(one["path"])),
                    lambda result, error: answers.put((result, error)),
                    model["version"],
                    request_id=str(len(expected) - 1),
                )
    for _ in expected:
        result, error = answers.get(timeout=60)
        assert error is None, error
        one = expected[int(result.get_response().id)]
        same(one["path"], result.as_numpy("logits"), one["logits"])


@check("the client for asyncio")
async def _():
    async with triton_aio.InferenceServerClient(address) as waiting:
        assert await waiting.is_server_live() and await waiting.is_server_ready()
        assert await waiting.is_model_ready("ghostnet", "1")
        expect("name", (await waiting.get_server_metadata()).name, "ghostnet")
        one = models[0]["files"][0]
        result = await waiting.infer("ghostnet", files_input(read(one["path"])), "1")
        same(one["path"], result.as_numpy("logits"), one["logits"])


@check("wrong requests")
def _():
    floats = np.zeros((1, 3, 32, 32), np.float32)

    def infer(inputs, model="ghostnet", version="1", **options):
        return lambda: client.infer(model, inputs, version, **options)

    named = tensor_input(np.array([b"x"], dtype=np.object_), "BYTES", "x")
    integers = tensor_input(np.zeros((1, 3, 32, 32), np.int64), "INT64")
    turned = tensor_input(np.zeros((1, 32, 32, 3), np.float32))
    for action, *texts in (
        (infer(files_input(photo()), model="x"), '"x"', "ghostnet, second", "NOT_FOUND"),
        (infer(files_input(photo()), version="9"), 'version "9"', "NOT_FOUND"),
        (infer(named), "no input of this name", "INVALID_ARGUMENT"),
        (infer(files_input(photo()) + files_input(photo())), "wrong number of inputs", "INVALID_ARGUMENT"),
        (infer(integers), '"INT64"', "INVALID_ARGUMENT"),
        (infer(turned), "[N,3,H,W]", "INVALID_ARGUMENT"),
        (infer(tensor_input(floats), outputs=output("x")), "no output of this name", "INVALID_ARGUMENT"),
        (infer(files_input(b"no image")), "INVALID_ARGUMENT"),
        (infer(files_input(photo()[:5000])), "INVALID_ARGUMENT"),
        (infer(files_input(photo(), b"")), "INVALID_ARGUMENT"),
        (infer(files_input(photo()), outputs=output("embedding", class_count=2)), "no classes", "INVALID_ARGUMENT"),
    ):
        refuses(action, InferenceServerException, *texts)
    assert client.is_server_ready()


@check("the code of an error in the metadata")
def _():
    with grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        error = refuses(lambda: stub.ModelInfer(service_pb2.ModelInferRequest(model_name="x")), grpc.RpcError)
        metadata = {one.key: one.value for one in error.trailing_metadata()}
        expect("code", metadata["ghostnet-code"], "GHOSTNET_UNKNOWN_MODEL")


@check("the time that a request sets, and a deadline")
def _():
    files = files_input(*[photo()] * 60)
    refuses(
        lambda: client.infer("second", files, timeout=1),
        InferenceServerException,
        "The time that the client set",
        "DEADLINE_EXCEEDED",
    )
    refuses(
        lambda: client.infer("second", files, client_timeout=0.05),
        InferenceServerException,
        "DEADLINE_EXCEEDED",
    )


@check("a call that is cancelled")
def _():
    answers = queue.Queue()
    call = client.async_infer(
        "second", files_input(*[photo()] * 60), lambda result, error: answers.put((result, error))
    )
    call.cancel()
    result, error = answers.get(timeout=30)
    assert result is None and "ancelled" in str(error), f"{result} {error}"
    assert client.is_server_ready()


@check("a token")
def _():
    assert other.is_server_live() and other.is_server_ready() and other.is_model_ready("ghostnet")
    tensor = models[0]["tensors"][0]
    inputs = tensor_input(array_of(tensor), tensor["datatype"])
    for headers in (None, {"authorization": "Bearer wrong"}):
        for action in (
            lambda: other.infer("ghostnet", inputs, headers=headers),
            lambda: other.get_server_metadata(headers=headers),
            lambda: other.get_model_metadata("ghostnet", headers=headers),
        ):
            refuses(action, InferenceServerException, "token", "UNAUTHENTICATED")
    result = other.infer("ghostnet", inputs, headers=bearer)
    same("logits", result.as_numpy("logits"), tensor["logits"])


@check("a message that is too large, compressed or not")
def _():
    inputs = tensor_input(np.zeros((1, 3, 224, 224), np.float32))
    for algorithm in (None, "gzip"):
        refuses(
            lambda: other.infer("ghostnet", inputs, headers=bearer, compression_algorithm=algorithm),
            InferenceServerException,
            "RESOURCE_EXHAUSTED",
        )


@check("more images than the queue takes, and a queue that is full")
def _():
    most = limited["maxQueue"]
    refuses(
        lambda: other.infer("ghostnet", tensor_input(np.zeros((most + 1, 3, 32, 32), np.float32)), headers=bearer),
        InferenceServerException,
        "maxQueue",
        "INVALID_ARGUMENT",
    )
    answers = queue.Queue()
    inputs = tensor_input(np.zeros((most, 3, 64, 64), np.float32))
    count = 40
    for _ in range(count):
        other.async_infer("ghostnet", inputs, lambda result, error: answers.put(error), headers=bearer)
    errors = [error for error in (answers.get(timeout=60) for _ in range(count)) if error is not None]
    for error in errors:
        assert "RESOURCE_EXHAUSTED" in str(error) and "maxQueue" in str(error), error
    assert 0 < len(errors) < count, f"{len(errors)} of {count} were refused"


run("tritonclient, gRPC")
