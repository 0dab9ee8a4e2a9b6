"""A proxyless gRPC C-core client: calls mesh.test.v1.Echo/Unary on an xds:/// target.

    GRPC_XDS_BOOTSTRAP=bootstrap.json xds_client.py --target xds:///greeter --count 10
    GRPC_XDS_BOOTSTRAP=bootstrap.json xds_client.py --target xds:///greeter --stdin

Prints one JSON line: {"calls": 10, "by_server": {"v1": 10}, "failures": {}}, the failures as
counts by status code, with the details of the last. With --stdin the channel stays open: each line
of input is a number of calls and has a line of output; the program ends with its input.
"""

import argparse
import collections
import json
import sys

import grpc

import echo


def call(stub, count, message, timeout):
    """Makes the calls one after another and counts who answered."""
    by_server, failures, details = collections.Counter(), collections.Counter(), None
    for _ in range(count):
        try:
            # Until the first configuration is there a call waits, not longer than its deadline.
            reply = stub(echo.EchoRequest(message=message), timeout=timeout, wait_for_ready=True)
            if reply.message != message:
                raise SystemExit(f"sent {message!r}, came back as {reply.message!r}")
            by_server[reply.server_id] += 1
        except grpc.RpcError as error:
            failures[error.code().name] += 1
            details = error.details()
    summary = {"calls": count, "by_server": by_server, "failures": failures}
    if details is not None:
        summary["last_failure"] = details
    return summary


def main():
    parser = argparse.ArgumentParser(description="Calls an echo service through xDS.")
    parser.add_argument("--target", default="xds:///greeter")
    parser.add_argument("--count", type=int, default=1, help="how many calls")
    parser.add_argument("--stdin", action="store_true", help="take the counts from input")
    parser.add_argument("--message", default="hello")
    parser.add_argument("--timeout", type=float, default=10.0, help="deadline of a call, seconds")
    arguments = parser.parse_args()
    with grpc.insecure_channel(arguments.target) as channel:
        stub = channel.unary_unary(
            echo.path("Unary"),
            request_serializer=echo.EchoRequest.SerializeToString,
            response_deserializer=echo.EchoReply.FromString,
        )
        for count in sys.stdin if arguments.stdin else [arguments.count]:
            summary = call(stub, int(count), arguments.message, arguments.timeout)
            print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    main()
