"""A gRPC C-core server for mesh.test.v1.Echo.

    server.py --server-id v1 [--listen 127.0.0.1:0]
    server.py --selftest

Prints {"listening": "ip:port"} once it listens and ends with its standard input.

Each reply carries the request's message and payload, the server's id, the path, the authority, the
request's text metadata and how many requests the call has brought so far. A unary or
client-streaming call has one reply; the others have `repeat` for each request (0 means 1). The
server's id is also in the trailing metadata, as `server-id` and, as bytes, as `server-id-bin`. A
request with `fail_with_code` ends the call with that code and `fail_message`, and with the same as
bytes in `grpc-status-details-bin`. With `x-fail-attempts: N` in the metadata only the first N attempts
at the call fail.
"""

import argparse
import json
import sys
import time
from concurrent import futures

import grpc
from google.rpc import status_pb2

import echo

CODES = {code.value[0]: code for code in grpc.StatusCode}
# What makes the self-test's client try a call three times, by gRFC A6.
RETRYING = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.01s",
                "maxBackoff": "0.1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
# One thread serves one call while it lasts.
MAX_CALLS = 128


class EchoService(grpc.GenericRpcHandler):
    """Serves the four methods without generated code."""

    def __init__(self, server_id):
        self._metadata = (("server-id", server_id), ("server-id-bin", server_id.encode()))
        self._server_id = server_id

    def service(self, handler_call_details):
        kinds = {
            echo.path("Unary"): (grpc.unary_unary_rpc_method_handler, self._unary),
            echo.path("ClientStream"): (grpc.stream_unary_rpc_method_handler, self._client_stream),
            echo.path("ServerStream"): (grpc.unary_stream_rpc_method_handler, self._server_stream),
            echo.path("BidiStream"): (grpc.stream_stream_rpc_method_handler, self._bidi_stream),
        }
        path = handler_call_details.method
        if path not in kinds:
            return None
        make, behaviour = kinds[path]
        return make(
            lambda request, context: behaviour(path, request, context),
            request_deserializer=echo.EchoRequest.FromString,
            response_serializer=echo.EchoReply.SerializeToString,
        )

    def _unary(self, path, request, context):
        self._begin(context)
        return self._reply(path, request, 1, context)

    def _client_stream(self, path, requests, context):
        self._begin(context)
        last, received = echo.EchoRequest(), 0
        for last in requests:
            received += 1
            self._check(last, context)
        return self._reply(path, last, received, context)

    def _server_stream(self, path, request, context):
        self._begin(context)
        for _ in range(max(request.repeat, 1)):
            yield self._reply(path, request, 1, context)

    def _bidi_stream(self, path, requests, context):
        self._begin(context)
        for received, request in enumerate(requests, start=1):
            for _ in range(max(request.repeat, 1)):
                yield self._reply(path, request, received, context)

    def _begin(self, context):
        # No initial metadata: with some, a failure would come as headers and trailers, and a client
        # may retry only one that comes as trailers alone.
        context.set_trailing_metadata(self._metadata)

    def _check(self, request, context):
        """Waits and fails as the request asks."""
        time.sleep(request.delay_ms / 1000)
        headers = _text_metadata(context)
        failing = headers.get("x-fail-attempts")
        if not request.fail_with_code or (failing and _attempt(headers) > int(failing)):
            return
        status = status_pb2.Status(code=request.fail_with_code, message=request.fail_message)
        details = ("grpc-status-details-bin", status.SerializeToString())
        context.set_trailing_metadata((*self._metadata, details))
        code = CODES.get(request.fail_with_code, grpc.StatusCode.UNKNOWN)
        context.abort(code, request.fail_message)

    def _reply(self, path, request, received, context):
        self._check(request, context)
        headers = _text_metadata(context)
        return echo.EchoReply(
            message=request.message,
            payload=request.payload,
            server_id=self._server_id,
            path=path,
            # The public interface hides the authority; the pinned version keeps it here.
            authority=context._rpc_event.call_details.host.decode(),
            headers=headers,
            received=received,
            attempt=_attempt(headers),
        )


def _text_metadata(context):
    return {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}


def _attempt(headers):
    return int(headers.get("grpc-previous-rpc-attempts", "0")) + 1


def start(server_id, listen):
    """A started server and its address."""
    server = grpc.server(futures.ThreadPoolExecutor(MAX_CALLS), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((EchoService(server_id),))
    host, _, _ = listen.rpartition(":")
    port = server.add_insecure_port(listen)
    server.start()
    return server, f"{host}:{port}"


def selftest():
    """Every kind of call, and a failing one, against a server in this process."""
    server, address = start("self", "127.0.0.1:0")

    def call(channel, kind, method):
        return getattr(channel, kind)(
            echo.path(method),
            request_serializer=echo.EchoRequest.SerializeToString,
            response_deserializer=echo.EchoReply.FromString,
        )

    def request(text, **fields):
        return echo.EchoRequest(message=text, payload=b"\x00\xff", **fields)

    options = [("grpc.service_config", json.dumps(RETRYING))]
    with grpc.insecure_channel(address, options) as channel:
        unary = call(channel, "unary_unary", "Unary")
        reply, ended = unary.with_call(request("one"), metadata=[("x-test", "yes")], timeout=10)
        assert (reply.message, reply.payload, reply.server_id) == ("one", b"\x00\xff", "self"), reply
        assert (reply.path, reply.authority) == ("/mesh.test.v1.Echo/Unary", address), reply
        assert (reply.headers["x-test"], reply.received, reply.attempt) == ("yes", 1, 1), reply
        assert dict(ended.trailing_metadata())["server-id"] == "self", ended.trailing_metadata()
        try:
            unary(request("two", fail_with_code=9, fail_message="as asked"), timeout=10)
            raise AssertionError("a call that should fail did not")
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.FAILED_PRECONDITION, error
            assert error.details() == "as asked", error
            details = dict(error.trailing_metadata())["grpc-status-details-bin"]
            assert status_pb2.Status.FromString(details).message == "as asked", details
        twice = [("x-fail-attempts", "2")]
        reply = unary(request("three", fail_with_code=14), metadata=twice, timeout=10)
        assert reply.attempt == 3, reply
        both = [request("a"), request("b", repeat=2)]
        total = call(channel, "stream_unary", "ClientStream")(iter(both), timeout=10)
        assert (total.message, total.received) == ("b", 2), total
        many = call(channel, "unary_stream", "ServerStream")(both[1], timeout=10)
        assert [reply.message for reply in many] == ["b", "b"]
        each = call(channel, "stream_stream", "BidiStream")(iter(both), timeout=10)
        assert [(reply.message, reply.received) for reply in each] == [("a", 1), ("b", 2), ("b", 2)]
    server.stop(None).wait()


def main():
    parser = argparse.ArgumentParser(description="A gRPC server for mesh.test.v1.Echo.")
    parser.add_argument("--listen", default="127.0.0.1:0", help="address; port 0 chooses one")
    parser.add_argument("--server-id", default="grpcio", help="the server_id of every reply")
    parser.add_argument("--selftest", action="store_true", help="check the server and end")
    arguments = parser.parse_args()
    if arguments.selftest:
        selftest()
        print(json.dumps({"ok": True}), flush=True)
        return
    server, address = start(arguments.server_id, arguments.listen)
    print(json.dumps({"listening": address}), flush=True)
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
