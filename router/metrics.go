package router

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/holdfast-flags/holdfast/flags"
)

var (
	descClients  = describe("clients", "Clients that follow a set now.", "set")
	descRevision = describe("revision", "Newest revision of a set.", "set")
	descEpoch    = describe("epoch", "Epoch of a set.", "set")
	descFlags    = describe("entries", "Entries of a set: flags, evaluators, metadata, overrides.", "set")
	descBytes    = describe("set_bytes", "Size of a set's encoded checkpoint.", "set")
	descSync     = prometheus.NewDesc("holdfast_sync_set_bytes", "Size of the definition that in-process clients of a set are sent with each change.", []string{"set"}, nil)
	descOversize = prometheus.NewDesc("holdfast_sync_oversize", "1 if that is more than gRPC clients take unless they are told to.", []string{"set"}, nil)
	descEncoded  = prometheus.NewDesc("holdfast_sync_encodings_total", "Definitions that were encoded, each for any number of clients.", []string{"set"}, nil)
	descStandby  = describe("standby_reads_per_second", "Heads that the clients of a set would ask their secondary for without this router.", "set")
	descRefill   = describe("standby_bytes_per_second", "Bytes that they would read there for 5 s if none of them had the set.", "set")
	descWrites   = describe("writes_total", "Commits offered to this router.", "outcome")
	descUpstream = describe("upstream_up", "Of a relay: 1 if the router behind it served when it was last called.")
	descLag      = describe("sink_lag_revisions", "Revisions that a mirror, cache or webhook is behind.", "kind", "name", "set")
	descUp       = describe("sink_up", "1 if the last attempt at a mirror, cache or webhook succeeded.", "kind", "name", "set")
	descErrors   = describe("sink_errors_total", "Failed attempts at a mirror, cache or webhook.", "kind", "name", "set")
	descNext     = describe("sink_next_try_seconds", "How long until a mirror, cache or webhook that failed is tried again.", "kind", "name", "set")
	descStatus   = describe("webhook_status", "HTTP status that a webhook answered last; 0 if none came.", "name", "set")
	descGaps     = describe("webhook_gaps_total", "Times that commits for a webhook were missing from the journal.", "name", "set")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("holdfast_router_"+name, help, labels, nil)
}

// newRegistry returns a registry of the router's own, so that several routers
// may live in one process.
func newRegistry(r *Router, more ...prometheus.Collector) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{r})
	registry.MustRegister(more...)
	return registry
}

// collector reads the figures when they are asked for.
type collector struct{ r *Router }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descClients, descRevision, descEpoch, descFlags, descBytes, descSync, descOversize, descEncoded, descStandby, descRefill, descWrites, descUpstream, descLag, descUp, descErrors, descNext, descStatus, descGaps} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for _, set := range c.r.hub.Sets() {
		head := set.Head()
		gauge(descClients, uint64(set.Count()), head.Set)
		gauge(descRevision, head.Revision, head.Set)
		gauge(descEpoch, head.Epoch, head.Set)
		gauge(descFlags, uint64(head.Count), head.Set)
		size, load := encodedSize(set), float64(set.Count())/flags.HeadEvery.Seconds()
		gauge(descBytes, size, head.Set)
		ch <- prometheus.MustNewConstMetric(descStandby, prometheus.GaugeValue, load, head.Set)
		ch <- prometheus.MustNewConstMetric(descRefill, prometheus.GaugeValue, load*float64(size), head.Set)
	}
	for _, s := range c.r.sync.Sizes() {
		gauge(descSync, uint64(s.Bytes), s.Set)
		gauge(descOversize, oneIf(s.Oversize), s.Set)
		counter(descEncoded, uint64(s.Encodings), s.Set)
	}
	counter(descWrites, c.r.writes.taken.Load(), "accepted")
	counter(descWrites, c.r.writes.refused.Load(), "refused")
	if state := c.r.upstream(); state != "" {
		gauge(descUpstream, oneIf(state == upstreamOK))
	}
	for kind, sinks := range map[string][]SinkStatus{"mirror": c.r.Mirrors(), "cache": c.r.Caches(), "webhook": c.r.Webhooks()} {
		for _, s := range sinks {
			gauge(descLag, s.Lag, kind, s.Name, s.Set)
			gauge(descUp, oneIf(s.Err == nil), kind, s.Name, s.Set)
			counter(descErrors, s.Errors, kind, s.Name, s.Set)
			if s.Err != nil {
				ch <- prometheus.MustNewConstMetric(descNext, prometheus.GaugeValue, max(0, time.Until(s.NextTry).Seconds()), kind, s.Name, s.Set)
			}
			if kind == "webhook" {
				gauge(descStatus, uint64(s.Delivery.Status), s.Name, s.Set)
				counter(descGaps, s.Delivery.Gaps, s.Name, s.Set)
			}
		}
	}
}

func oneIf(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}
