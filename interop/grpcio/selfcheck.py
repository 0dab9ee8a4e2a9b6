"""Proves the peers against one another, before the mesh meets them.

A proxyless gRPC C-core client and a bare delta ADS stream talk to the go-control-plane program;
two gRPC C-core servers are the backends. Prints one line for each thing it has seen.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.rpc import status_pb2

HERE = Path(__file__).resolve().parent
CONTROL_PLANE = HERE.parent / "go-control-plane" / "go-control-plane"
# How long any one thing may take; a bound for a broken run, not a measure.
PATIENCE = 60.0
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


class Peer:
    """A program that is asked by lines and answers with lines of JSON."""

    def __init__(self, *command, **environment):
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def read(self):
        watchdog = threading.Timer(PATIENCE, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise SystemExit(f"{self._process.args[0]} ended or said nothing for {PATIENCE} s")
        return json.loads(line)

    def ask(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.read()

    def end(self):
        self._process.stdin.close()
        if self._process.wait(PATIENCE) != 0:
            raise SystemExit(f"{self._process.args[0]} ended with {self._process.returncode}")


def control_plane(listen, backends, *arguments):
    peer = Peer(CONTROL_PLANE, "--listen", listen, "--backends", backends, *arguments)
    return peer, peer.read()["listening"]


def python(script, *arguments, **environment):
    return Peer(sys.executable, HERE / script, *arguments, **environment)


def until(what, check):
    """Repeats a check until it holds. Every check waits for an answer itself."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = check()
        if seen is True:
            print(f"seen: {what}", flush=True)
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"not seen: {what}; last: {seen}")


def answered_by(client, *servers):
    """Whether twenty calls all succeed and are answered by just these servers."""
    summary = client.ask(20)
    if summary["failures"]:
        raise SystemExit(f"calls failed: {summary}")
    return set(summary["by_server"]) == set(servers) or summary


def proxyless(plane, address, backends, client):
    """Traffic follows the snapshots, survives a bad one, and the control plane's restart."""
    until("snapshot A: all to v1", lambda: answered_by(client, "v1"))
    plane.ask("snapshot B")
    until("snapshot B: all to v2", lambda: answered_by(client, "v2"))
    plane.ask("bad")

    def refused():
        routes = plane.ask("stats")["stats"]["types"]["RouteConfiguration"]
        # The SotW cache sends a refused version again at once, for as long as it is the newest.
        return (routes["nacks"] >= 1 and "weighted_clusters" in routes["last_error"]) or routes

    until("the bad routes are refused, with a reason", refused)
    until("the last good routes stay", lambda: answered_by(client, "v2"))
    plane.ask("weights 50 50")
    until("an even split reaches both", lambda: answered_by(client, "v1", "v2"))
    stats = plane.ask("stats")["stats"]
    if (stats["sotw_opened"], stats["delta_opened"]) != (1, 0) or stats["acks"] < 4:
        raise SystemExit(f"not one SotW stream with an ACK a type: {stats}")
    plane.ask("quit")
    plane.end()
    until("calls without a control plane", lambda: answered_by(client, "v1", "v2"))
    again, _ = control_plane(address, backends, "--initial", "B")
    with again:
        until("a new control plane on the same port", lambda: answered_by(client, "v2"))


def delta(backends):
    """The delta variant, spoken by hand: accept one version, refuse the next."""
    plane, address = control_plane("127.0.0.1:0", backends, "--node", "delta-probe")
    with plane, grpc.insecure_channel(address) as channel:
        requests = queue.Queue()
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        stream = stub.DeltaAggregatedResources(iter(requests.get, None), timeout=PATIENCE)

        def send(**fields):
            requests.put(discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTES, **fields))

        send(node=base_pb2.Node(id="delta-probe"), resource_names_subscribe=["greeter-routes"])
        first = next(stream)
        assert [entry.name for entry in first.resources] == ["greeter-routes"], first
        send(response_nonce=first.nonce)
        plane.ask("bad")
        second = next(stream)
        assert second.resources[0].version != first.resources[0].version, second
        reason = status_pb2.Status(code=3, message="refused by hand")
        send(response_nonce=second.nonce, error_detail=reason)

        def counted():
            stats = plane.ask("stats")["stats"]
            routes = stats["types"]["RouteConfiguration"]
            seen = (stats["delta_open"], routes["acks"], routes["nacks"], routes["last_error"])
            return seen == (1, 1, 1, "refused by hand") or stats

        until("a delta stream's ACK and NACK are counted", counted)
        requests.put(None)


def main():
    with python("server.py", "--selftest") as echo:
        assert echo.read() == {"ok": True}
        print("seen: the echo server serves every kind of call", flush=True)
    with python("server.py", "--server-id", "v1") as one, python("server.py", "--server-id", "v2") as two:
        backends = f"v1={one.read()['listening']},v2={two.read()['listening']}"
        delta(backends)
        plane, address = control_plane("127.0.0.1:0", backends)
        bootstrap = {
            "xds_servers": [
                {"server_uri": address, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}
            ],
            "node": {"id": "selfcheck"},
        }
        with plane, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(bootstrap, file)
            file.flush()
            # Its log would repeat the refusal; the control plane's count of it is what is checked.
            quiet = {"GRPC_XDS_BOOTSTRAP": file.name, "GRPC_VERBOSITY": "NONE"}
            with python("xds_client.py", "--stdin", **quiet) as client:
                proxyless(plane, address, backends, client)
                client.end()
        one.end()
        two.end()


if __name__ == "__main__":
    main()
