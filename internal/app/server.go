package app

import (
	"net/http"
	"time"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

func (s *system) server() *http.Server {
	mux := http.NewServeMux()
	for _, r := range s.doors.routes {
		mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, req *http.Request) {
			p, err := s.access.Authenticate(req)
			if err != nil {
				problem.New("unauthenticated", "no").Write(w)
				return
			}
			r.Handler(w, req.WithContext(access.With(req.Context(), p)))
		})
	}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
}
