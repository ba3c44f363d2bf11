"""The clients of KServe, over REST and gRPC."""

import base64
import logging

import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from checks import array_of, cases, check, classes_match, expect, limited, models, read, run, same

logging.disable(logging.CRITICAL)  # they log what these checks expect
url = f"http://{cases['server']['http']}"
limited_url = f"http://{limited['http']}"


def rest():
    return InferenceRESTClient(RESTConfig(protocol="v2", retries=0))


def files_input(files, binary):
    """The input image. In JSON, files are text in base64."""
    array = np.empty(len(files), dtype=np.object_)
    array[:] = files if binary else [base64.b64encode(file) for file in files]
    tensor = InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def tensor_input(tensor, binary):
    given = InferInput("pixel_values", tensor["shape"], tensor["datatype"])
    given.set_data_from_numpy(array_of(tensor), binary_data=binary)
    return [given]


def logits_of(response):
    return next(one for one in response.outputs if one.name == "logits").as_numpy()


async def refused(call, kind):
    try:
        await call
    except kind as error:
        return error
    raise AssertionError("nothing was refused")


def latest(name):
    return [model for model in models if model["name"] == name][-1]


@check("REST: health")
async def _():
    async with rest() as client:
        expect("live", await client.is_server_live(url), True)
        expect("ready", await client.is_server_ready(url), True)
        expect("model", await client.is_model_ready(url, "ghostnet"), True)
        expect("no model", await client.is_model_ready(url, "x"), False)


@check("REST: files and tensors, as binary data and as JSON")
async def _():
    async with rest() as client:
        for model in (latest("ghostnet"), latest("second")):
            for binary in (True, False):
                requests = [(one, files_input([read(one["path"])], binary)) for one in model["files"]]
                requests += [(tensor, tensor_input(tensor, binary)) for tensor in model["tensors"]]
                for one, inputs in requests:
                    request = InferRequest(model["name"], inputs, request_id="7")
                    response = await client.infer(url, request, model["name"])
                    same(one["path"], logits_of(response), one["logits"])
                    expect("id", response.id, "7")


@check("REST: a dictionary")
async def _():
    one = latest("ghostnet")["files"][0]
    text = base64.b64encode(read(one["path"])).decode()
    data = {"inputs": [{"name": "image", "shape": [1, 1], "datatype": "BYTES", "data": [[text]]}]}
    async with rest() as client:
        same(one["path"], logits_of(await client.infer(url, data, "ghostnet")), one["logits"])


@check("REST: requested outputs")
async def _():
    one = latest("ghostnet")["files"][0]
    async with rest() as client:
        for binary in (True, False):
            outputs = [RequestedOutput("logits", {"binary_data": binary})]
            request = InferRequest("ghostnet", files_input([read(one["path"])], True), request_outputs=outputs)
            response = await client.infer(url, request, "ghostnet")
            expect("outputs", [output.name for output in response.outputs], ["logits"])
            same(one["path"], logits_of(response), one["logits"])


@check("REST: wrong requests and a token")
async def _():
    tensor = latest("ghostnet")["tensors"][0]
    async with rest() as client:
        for name, inputs, status in (
            ("x", tensor_input(tensor, True), 404),
            ("ghostnet", [], 400),
            ("ghostnet", files_input([b"no image"], True), 415),
        ):
            call = client.infer(url, InferRequest(name, inputs), name)
            error = await refused(call, httpx.HTTPStatusError)
            expect("status", error.response.status_code, status)
            assert error.response.json()["error"], "no text"
        small = models[0]["tensors"][0]
        request = InferRequest("ghostnet", tensor_input(small, True))
        error = await refused(client.infer(limited_url, request, "ghostnet"), httpx.HTTPStatusError)
        expect("status", error.response.status_code, 401)
        headers = {"Authorization": f"Bearer {limited['token']}"}
        response = await client.infer(limited_url, request, "ghostnet", headers=headers)
        same("logits", logits_of(response), small["logits"])


@check("gRPC: health")
async def _():
    async with InferenceGRPCClient(cases["server"]["grpc"], retries=0) as client:
        expect("live", await client.is_server_live(), True)
        expect("ready", await client.is_server_ready(), True)
        expect("model", await client.is_model_ready("ghostnet"), True)
        error = await refused(client.is_model_ready("x"), grpc.RpcError)
        expect("code", error.code(), grpc.StatusCode.NOT_FOUND)


@check("gRPC: files and tensors, raw and typed")
async def _():
    async with InferenceGRPCClient(cases["server"]["grpc"], retries=0) as client:
        for model in models:
            for raw in (True, False):
                for tensor in model["tensors"]:
                    request = InferRequest(
                        model["name"], tensor_input(tensor, raw), request_id="7", model_version=model["version"]
                    )
                    response = await client.infer(request)
                    same(tensor["path"], logits_of(response), tensor["logits"])
                    expect("id", response.id, "7")
            for one in model["files"]:
                for inputs in (
                    files_input([read(one["path"])], True),
                    [InferInput("image", [1], "BYTES", [read(one["path"])])],
                ):
                    request = InferRequest(model["name"], inputs, model_version=model["version"])
                    same(one["path"], logits_of(await client.infer(request)), one["logits"])


@check("gRPC: classes")
async def _():
    one = latest("second")["files"][0]
    outputs = [RequestedOutput("probabilities", {"classification": 5})]
    async with InferenceGRPCClient(cases["server"]["grpc"], retries=0) as client:
        request = InferRequest("second", files_input([read(one["path"])], True), request_outputs=outputs)
        response = await client.infer(request)
        answered = response.outputs[0].as_numpy().ravel()
        texts = [text if isinstance(text, bytes) else text.encode() for text in answered]
        classes_match(texts, one["classes"])


@check("gRPC: wrong requests, deadlines and a token")
async def _():
    tensor = models[0]["tensors"][0]
    async with InferenceGRPCClient(cases["server"]["grpc"], retries=0) as client:
        for name, inputs, code in (
            ("x", tensor_input(tensor, True), grpc.StatusCode.NOT_FOUND),
            ("ghostnet", [], grpc.StatusCode.INVALID_ARGUMENT),
            ("ghostnet", files_input([b"no image"], True), grpc.StatusCode.INVALID_ARGUMENT),
        ):
            error = await refused(client.infer(InferRequest(name, inputs)), grpc.RpcError)
            expect("code", error.code(), code)
        files = files_input([read(models[0]["files"][0]["path"])] * 60, True)
        error = await refused(client.infer(InferRequest("second", files), timeout=0.05), grpc.RpcError)
        expect("code", error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    async with InferenceGRPCClient(limited["grpc"], retries=0) as client:
        request = InferRequest("ghostnet", tensor_input(tensor, True))
        error = await refused(client.infer(request), grpc.RpcError)
        expect("code", error.code(), grpc.StatusCode.UNAUTHENTICATED)
        response = await client.infer(request, headers=(("authorization", f"Bearer {limited['token']}"),))
        same("logits", logits_of(response), tensor["logits"])


run("kserve")
