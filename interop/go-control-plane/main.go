// Command go-control-plane is a real xDS control plane for the interoperability tests: the snapshot
// cache and the server of envoyproxy/go-control-plane, steered by lines on standard input.
//
// It prints {"listening":"ip:port"} once it listens, then one JSON line for each command:
//
//	snapshot A | snapshot B   all traffic to v1, or all to v2
//	weights V1 V2             traffic by weight
//	backends v1=ip:port,...   replaces the endpoints; a name given twice has two
//	bad                       a RouteConfiguration that a client must refuse; all else stays
//	stats                     what clients have asked, accepted and refused
//	quit                      closes every stream and ends; so does the end of input
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve ADS on; port 0 chooses one")
	backends := flag.String("backends", "", "endpoints of the clusters: v1=ip:port,v2=ip:port")
	node := flag.String("node", "", "node id to serve; empty serves every node")
	initial := flag.String("initial", "A", "what to publish before the first command: A, B or none")
	flag.Parse()
	if err := run(*listen, *backends, *node, *initial, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "go-control-plane:", err)
		os.Exit(1)
	}
}

func run(listen, backends, node, initial string, in io.Reader, out io.Writer) error {
	endpoints, err := parseBackends(backends)
	if err != nil {
		return fmt.Errorf("--backends: %w", err)
	}
	stats := newStats()
	publisher := newPublisher(node, endpoints)
	if initial != "none" {
		if err := publisher.snapshot(initial); err != nil {
			return fmt.Errorf("--initial: %w", err)
		}
	}

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	grpcServer := grpc.NewServer()
	xds := server.NewServer(ctx, publisher.cache, stats.callbacks())
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	// Stop, not GracefulStop: an ADS stream never ends by itself.
	defer grpcServer.Stop()

	replies := json.NewEncoder(out)
	if err := replies.Encode(map[string]string{"listening": listener.Addr().String()}); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- grpcServer.Serve(listener) }()

	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for {
		select {
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case line, more := <-lines:
			if !more {
				return nil
			}
			reply, quit := answer(line, publisher, stats)
			if err := replies.Encode(reply); err != nil {
				return err
			}
			if quit {
				return nil
			}
		}
	}
}
