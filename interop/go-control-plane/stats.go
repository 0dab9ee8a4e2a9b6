package main

import (
	"context"
	"maps"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
)

// stats counts what clients do. The server's callbacks come from one goroutine a stream.
type stats struct {
	mutex  sync.Mutex
	total  report
	awaits map[await]string
}

// await names a response that no client request has answered yet; its value is the version sent.
type await struct {
	delta  bool
	stream int64
	nonce  string
}

// report is the answer to the command stats.
type report struct {
	SotwOpened  int                   `json:"sotw_opened"`
	SotwOpen    int                   `json:"sotw_open"`
	DeltaOpened int                   `json:"delta_opened"`
	DeltaOpen   int                   `json:"delta_open"`
	Requests    int                   `json:"requests"`
	Responses   int                   `json:"responses"`
	Acks        int                   `json:"acks"`
	Nacks       int                   `json:"nacks"`
	Types       map[string]typeReport `json:"types"`
}

// typeReport is the part of a report on one resource type.
type typeReport struct {
	Requests     int    `json:"requests"`
	Responses    int    `json:"responses"`
	Acks         int    `json:"acks"`
	Nacks        int    `json:"nacks"`
	AckedVersion string `json:"acked_version"`
	LastError    string `json:"last_error"`
}

func newStats() *stats {
	return &stats{total: report{Types: map[string]typeReport{}}, awaits: map[await]string{}}
}

// report copies what was counted so far.
func (s *stats) report() *report {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	copied := s.total
	copied.Types = maps.Clone(s.total.Types)
	return &copied
}

func (s *stats) callbacks() server.Callbacks {
	return server.CallbackFuncs{
		StreamOpenFunc: func(context.Context, int64, string) error {
			s.opened(&s.total.SotwOpened, &s.total.SotwOpen)
			return nil
		},
		StreamClosedFunc: func(stream int64, _ *core.Node) { s.closed(&s.total.SotwOpen, false, stream) },
		DeltaStreamOpenFunc: func(context.Context, int64, string) error {
			s.opened(&s.total.DeltaOpened, &s.total.DeltaOpen)
			return nil
		},
		DeltaStreamClosedFunc: func(stream int64, _ *core.Node) { s.closed(&s.total.DeltaOpen, true, stream) },
		StreamRequestFunc: func(stream int64, request *discovery.DiscoveryRequest) error {
			s.request(request.GetTypeUrl(), await{stream: stream, nonce: request.GetResponseNonce()}, request.GetErrorDetail())
			return nil
		},
		StreamDeltaRequestFunc: func(stream int64, request *discovery.DeltaDiscoveryRequest) error {
			s.request(request.GetTypeUrl(), await{delta: true, stream: stream, nonce: request.GetResponseNonce()}, request.GetErrorDetail())
			return nil
		},
		StreamResponseFunc: func(_ context.Context, stream int64, _ *discovery.DiscoveryRequest, response *discovery.DiscoveryResponse) {
			s.response(response.GetTypeUrl(), await{stream: stream, nonce: response.GetNonce()}, response.GetVersionInfo())
		},
		StreamDeltaResponseFunc: func(stream int64, _ *discovery.DeltaDiscoveryRequest, response *discovery.DeltaDiscoveryResponse) {
			s.response(response.GetTypeUrl(), await{delta: true, stream: stream, nonce: response.GetNonce()}, response.GetSystemVersionInfo())
		},
	}
}

func (s *stats) opened(ever, now *int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	*ever++
	*now++
}

func (s *stats) closed(now *int, delta bool, stream int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	*now--
	maps.DeleteFunc(s.awaits, func(key await, _ string) bool {
		return key.delta == delta && key.stream == stream
	})
}

// request counts a request and, if it is the first to carry a response's nonce, the answer in it.
// Later requests with that nonce only change the subscription.
func (s *stats) request(typeURL string, key await, refused *status.Status) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	name := shortType(typeURL)
	counted := s.total.Types[name]
	counted.Requests++
	s.total.Requests++
	if version, first := s.awaits[key]; first {
		delete(s.awaits, key)
		if refused == nil {
			counted.Acks++
			counted.AckedVersion = version
			s.total.Acks++
		} else {
			counted.Nacks++
			counted.LastError = refused.GetMessage()
			s.total.Nacks++
		}
	}
	s.total.Types[name] = counted
}

func (s *stats) response(typeURL string, key await, version string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	name := shortType(typeURL)
	counted := s.total.Types[name]
	counted.Responses++
	s.total.Responses++
	s.total.Types[name] = counted
	s.awaits[key] = version
}
