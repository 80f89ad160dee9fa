package httpapi

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bonafide-id/bonafide/internal/httpapi/openapi"
)

// promises say what accepted means, by durability (docs/operations.md).
var promises = map[string]string{
	"fsync": "202 means that media and event are written and flushed to this machine's disk: they survive a crash of the process and a power cut if the disk honours flush, not the loss of the disk.",
}

// own are the routes that belong to no service.
func (s *Server) own() []Route {
	metrics := promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	return []Route{
		{Method: http.MethodGet, Path: "/v1/durability", Handler: s.serveDurability},
		{Method: http.MethodGet, Path: "/healthz", Public: true, Handler: func(w http.ResponseWriter, _ *http.Request) { JSON(w, http.StatusOK, map[string]bool{"alive": true}) }},
		{Method: http.MethodGet, Path: "/readyz", Public: true, Handler: s.serveReady},
		{Method: http.MethodGet, Path: "/metrics", Public: true, Handler: metrics.ServeHTTP},
		{Method: http.MethodGet, Path: "/openapi.json", Public: true, Handler: openapi.Serve},
	}
}

func (s *Server) serveDurability(w http.ResponseWriter, _ *http.Request) {
	JSON(w, http.StatusOK, map[string]string{"durability": s.Durability, "accepted": promises[s.Durability]})
}
