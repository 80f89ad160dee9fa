package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// More items than one client may upload at once wait; none is lost to it, and no other refusal is waited for.
func TestEvalWaitsWhereTooManyUpload(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch asked++; asked {
		case 1:
			problem.New(problem.Overloaded, "busy").Write(w)
		case 2:
			w.WriteHeader(http.StatusAccepted)
			_ = json.NewEncoder(w).Encode(receipt{Verification: "v_1"})
		default:
			problem.New(problem.TooManyPixels, "large").Write(w)
		}
	}))
	defer srv.Close()
	ev := evaluator{client: &client{srv.URL, "key", srv.Client()}}
	p := pictures{Document: smallDocument(t)}
	if r, err := ev.submit(t.Context(), p, nil); err != nil || r.Verification != "v_1" || asked != 2 {
		t.Errorf("%+v, %v after %d requests", r, err, asked)
	}
	if _, err := ev.submit(t.Context(), p, nil); codeOf(err) != "too_many_pixels" || asked != 3 {
		t.Errorf("%v after %d requests", err, asked)
	}
	asked = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ev.submit(ctx, p, nil); err == nil {
		t.Error("it goes on for nobody")
	}
}
