package router

import "google.golang.org/grpc"

// Services returns what is registered with the gRPC server.
func (r *Router) Services() map[string]grpc.ServiceInfo { return r.server.GetServiceInfo() }

// Routes returns the patterns of the REST API, and Procedures those of the evaluation protocols.
func (r *Router) Routes() []string { return r.rest.Routes() }

// Procedures returns what the evaluation listener serves.
func (r *Router) Procedures() []string { return r.evalsvc.Procedures() }
