package access

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// Created is a new key with its text.
type Created struct {
	Key
	Text string `json:"key"`
}

// Listed is every key.
type Listed struct {
	Keys []Key `json:"keys"`
}

// wanted is a request for a key.
type wanted struct {
	Client  string `json:"client"`
	Sandbox bool   `json:"sandbox"`
}

// Admin serves the management of keys: POST /keys, GET /keys, DELETE /keys/{id}. Whoever can reach it may do everything, so it is served on a
// socket that only its owner can open (ListenAdmin) and never on the network.
func (k *Keys) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /keys", k.serveCreate)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, Listed{k.List()}) })
	mux.HandleFunc("DELETE /keys/{id}", k.serveRevoke)
	return mux
}

func (k *Keys) serveCreate(w http.ResponseWriter, r *http.Request) {
	var want wanted
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&want); err != nil {
		problem.New(problem.BadRequest, "the body is not a request for a key").Write(w)
		return
	}
	key, text, err := k.Create(r.Context(), want.Client, want.Sandbox)
	switch {
	case errors.Is(err, ErrBadClient):
		problem.New(problem.BadRequest, "%v", err).Write(w)
	case err != nil:
		refuse(w, k.Log, err)
	default:
		k.Log.Info("key created", "audit", true, "key", key.ID, "client", key.Client, "sandbox", key.Sandbox)
		answer(w, http.StatusCreated, Created{key, text})
	}
}

func (k *Keys) serveRevoke(w http.ResponseWriter, r *http.Request) {
	err := k.Revoke(r.PathValue("id"))
	switch {
	case errors.Is(err, ErrNoKey):
		problem.New(problem.NotFound, "there is no key of that id; `bonafide keys list` shows them").Write(w)
	case err != nil:
		refuse(w, k.Log, err)
	default:
		k.Log.Info("key revoked", "audit", true, "key", r.PathValue("id"))
		w.WriteHeader(http.StatusNoContent)
	}
}

func refuse(w http.ResponseWriter, log *slog.Logger, err error) {
	log.Error("keys cannot be changed", "err", err)
	problem.New(problem.Unavailable, "keys cannot be changed at the moment; the server's log says why").Write(w)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
