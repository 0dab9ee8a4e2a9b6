package main

import (
	"context"
	"fmt"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
)

// servedTypes are the types of one snapshot, in the order in which they refer to one another.
var servedTypes = []resource.Type{
	resource.ListenerType, resource.RouteType, resource.ClusterType, resource.EndpointType,
}

// everyNode gives all clients the same snapshot, whatever they call themselves.
type everyNode struct{ key string }

func (node everyNode) ID(*core.Node) string { return node.key }

// publisher holds what is served and puts each change into the snapshot cache.
type publisher struct {
	cache     cache.SnapshotCache
	node      string
	endpoints map[string][]endpointAddress
	v1, v2    uint32

	// A type's version moves when its resources do, and a restart never repeats a version: else a
	// client that comes back with last run's version would be taken for up to date.
	started  int64
	changes  int
	served   map[resource.Type][]types.Resource
	versions map[resource.Type]string
}

func newPublisher(node string, endpoints map[string][]endpointAddress) *publisher {
	var hash cache.NodeHash = cache.IDHash{}
	if node == "" {
		node = "every-node"
		hash = everyNode{key: node}
	}
	return &publisher{
		// Not the cache's ADS mode: that one leaves a client without an answer until it asks for
		// every cluster of the snapshot by name, and a proxyless client asks only for those in use.
		cache:     cache.NewSnapshotCache(false, hash, nil),
		node:      node,
		endpoints: endpoints,
		started:   time.Now().UnixMilli(),
		served:    map[resource.Type][]types.Resource{},
		versions:  map[resource.Type]string{},
	}
}

// snapshot publishes one of the two named states: A is all v1, B is all v2.
func (p *publisher) snapshot(name string) error {
	switch name {
	case "A":
		return p.weights(100, 0)
	case "B":
		return p.weights(0, 100)
	default:
		return fmt.Errorf("unknown snapshot %q: A or B", name)
	}
}

// weights publishes a split. Zero for both makes a RouteConfiguration that clients must refuse.
func (p *publisher) weights(v1, v2 uint32) error {
	p.v1, p.v2 = v1, v2
	return p.publish()
}

func (p *publisher) backends(endpoints map[string][]endpointAddress) error {
	p.endpoints = endpoints
	return p.publish()
}

func (p *publisher) publish() error {
	resources, err := build(p.v1, p.v2, p.endpoints)
	if err != nil {
		return err
	}
	p.changes++
	snapshot := &cache.Snapshot{}
	for _, typeURL := range servedTypes {
		if !same(p.served[typeURL], resources[typeURL]) {
			p.versions[typeURL] = fmt.Sprintf("%d.%d", p.started, p.changes)
		}
		snapshot.Resources[cache.GetResponseType(typeURL)] = cache.NewResources(p.versions[typeURL], resources[typeURL])
	}
	p.served = resources
	// The cache's own check for consistency knows routes only by filter chains, not by an API listener.
	return p.cache.SetSnapshot(context.Background(), p.node, snapshot)
}

func (p *publisher) versionsByType() map[string]string {
	versions := make(map[string]string, len(p.versions))
	for typeURL, version := range p.versions {
		versions[shortType(typeURL)] = version
	}
	return versions
}

func same(before, after []types.Resource) bool {
	if len(before) != len(after) {
		return false
	}
	for i := range before {
		if !proto.Equal(before[i], after[i]) {
			return false
		}
	}
	return true
}
