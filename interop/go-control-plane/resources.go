package main

import (
	"fmt"
	"net/netip"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpopts "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	listenerName = "greeter"
	routeName    = "greeter-routes"
	echoPrefix   = "/mesh.test.v1.Echo/"
	httpOptions  = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
)

// clusterNames are served always, used or not, and in this order.
var clusterNames = []string{"v1", "v2"}

type endpointAddress = netip.AddrPort

// parseBackends reads v1=ip:port,v2=ip:port; a name given twice has two endpoints.
func parseBackends(text string) (map[string][]endpointAddress, error) {
	endpoints := map[string][]endpointAddress{}
	if text == "" {
		return endpoints, nil
	}
	for _, pair := range strings.Split(text, ",") {
		name, address, found := strings.Cut(pair, "=")
		if !found || (name != clusterNames[0] && name != clusterNames[1]) {
			return nil, fmt.Errorf("%q: want v1=ip:port or v2=ip:port", pair)
		}
		parsed, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pair, err)
		}
		endpoints[name] = append(endpoints[name], parsed)
	}
	return endpoints, nil
}

// build makes every resource of a snapshot: an API listener, its routes by RDS, both clusters and
// their endpoints.
func build(v1, v2 uint32, endpoints map[string][]endpointAddress) (map[resource.Type][]types.Resource, error) {
	apiListener, err := buildListener()
	if err != nil {
		return nil, err
	}
	resources := map[resource.Type][]types.Resource{
		resource.ListenerType: {apiListener},
		resource.RouteType:    {buildRoutes(v1, v2)},
	}
	for _, name := range clusterNames {
		built, err := buildCluster(name)
		if err != nil {
			return nil, err
		}
		resources[resource.ClusterType] = append(resources[resource.ClusterType], built)
		resources[resource.EndpointType] = append(resources[resource.EndpointType], buildEndpoints(name, endpoints[name]))
	}
	return resources, nil
}

func buildListener() (*listener.Listener, error) {
	routerConfig, err := anypb.New(&router.Router{})
	if err != nil {
		return nil, err
	}
	connections, err := anypb.New(&hcm.HttpConnectionManager{
		RouteSpecifier: &hcm.HttpConnectionManager_Rds{Rds: &hcm.Rds{
			ConfigSource:    overADS(),
			RouteConfigName: routeName,
		}},
		HttpFilters: []*hcm.HttpFilter{{
			Name:       "router",
			ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: routerConfig},
		}},
	})
	if err != nil {
		return nil, err
	}
	return &listener.Listener{
		Name:        listenerName,
		ApiListener: &listener.ApiListener{ApiListener: connections},
	}, nil
}

func buildRoutes(v1, v2 uint32) *route.RouteConfiguration {
	return &route.RouteConfiguration{
		Name: routeName,
		VirtualHosts: []*route.VirtualHost{{
			Name:    "everything",
			Domains: []string{"*"},
			Routes: []*route.Route{{
				Name:  "echo",
				Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: echoPrefix}},
				Action: &route.Route_Route{Route: &route.RouteAction{
					ClusterSpecifier: &route.RouteAction_WeightedClusters{
						WeightedClusters: &route.WeightedCluster{
							Clusters: []*route.WeightedCluster_ClusterWeight{
								{Name: clusterNames[0], Weight: wrapperspb.UInt32(v1)},
								{Name: clusterNames[1], Weight: wrapperspb.UInt32(v2)},
							},
						},
					},
				}},
			}},
		}},
	}
}

func buildCluster(name string) (*cluster.Cluster, error) {
	http2, err := anypb.New(&httpopts.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpopts.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpopts.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpopts.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &core.Http2ProtocolOptions{},
				},
			},
		},
	})
	if err != nil {
		return nil, err
	}
	return &cluster.Cluster{
		Name:                          name,
		ClusterDiscoveryType:          &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig:              &cluster.Cluster_EdsClusterConfig{EdsConfig: overADS()},
		LbPolicy:                      cluster.Cluster_ROUND_ROBIN,
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpOptions: http2},
	}, nil
}

// buildEndpoints puts all of a cluster's endpoints into one locality, which gRPC needs named and
// weighted: it leaves out a locality without weight.
func buildEndpoints(name string, addresses []endpointAddress) *endpoint.ClusterLoadAssignment {
	assignment := &endpoint.ClusterLoadAssignment{ClusterName: name}
	if len(addresses) == 0 {
		return assignment
	}
	locality := &endpoint.LocalityLbEndpoints{
		Locality:            &core.Locality{Region: "test", Zone: "a"},
		LoadBalancingWeight: wrapperspb.UInt32(1),
	}
	for _, address := range addresses {
		locality.LbEndpoints = append(locality.LbEndpoints, &endpoint.LbEndpoint{
			HealthStatus: core.HealthStatus_HEALTHY,
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{
				Address: &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
					Address:       address.Addr().String(),
					PortSpecifier: &core.SocketAddress_PortValue{PortValue: uint32(address.Port())},
				}}},
			}},
		})
	}
	assignment.Endpoints = []*endpoint.LocalityLbEndpoints{locality}
	return assignment
}

func overADS() *core.ConfigSource {
	return &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
}

// shortType is the last word of a type URL: Listener, RouteConfiguration, ...
func shortType(typeURL string) string {
	return typeURL[strings.LastIndexByte(typeURL, '.')+1:]
}
