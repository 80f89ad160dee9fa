package access

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/bonafide-id/bonafide/internal/log"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store in memory that can be taken away.
type shelf struct {
	mu sync.Mutex
	kv map[string][]byte
	no error
}

func (s *shelf) Put(k, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.no == nil {
		s.kv[string(k)] = bytes.Clone(v)
	}
	return s.no
}

func (s *shelf) Iterate(prefix []byte) iter.Seq2[log.KV, error] {
	return func(yield func(log.KV, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(s.kv)) {
			if strings.HasPrefix(k, string(prefix)) && !yield(log.KV{Key: []byte(k), Val: s.kv[k]}, nil) {
				return
			}
		}
		if s.no != nil {
			yield(log.KV{}, s.no)
		}
	}
}

// house has keys, what was prepared, and what was logged.
type house struct {
	*Keys
	t        *testing.T
	store    *shelf
	prepared []string
	said     bytes.Buffer
}

func newHouse(t *testing.T, s *shelf) *house {
	t.Helper()
	h := &house{t: t, store: s}
	var err error
	h.Keys, err = Open(Config{Store: s, Log: slog.New(slog.NewTextHandler(&h.said, nil)),
		Prepare: func(_ context.Context, client string) error { h.prepared = append(h.prepared, client); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func empty() *shelf { return &shelf{kv: map[string][]byte{}} }

func (h *house) create(client string) (Key, string) {
	h.t.Helper()
	k, text, err := h.Create(h.t.Context(), client, false)
	if err != nil {
		h.t.Fatal(err)
	}
	return k, text
}

func (h *house) who(headers ...string) (Principal, error) {
	r := httptest.NewRequest(http.MethodGet, "/v1/feed/stream", nil)
	for _, v := range headers {
		r.Header.Add("Authorization", v)
	}
	return h.Authenticate(r)
}

func TestAuthenticate(t *testing.T) {
	h := newHouse(t, empty())
	key, text := h.create("shop")
	other, otherText := h.create("bank")
	for _, header := range []string{"Bearer " + text, "bearer " + text, "BEARER  " + text} {
		if p, err := h.who(header); err != nil || p != (Principal{Client: "shop", Key: key.ID}) {
			t.Errorf("%s: %+v %v", header, p, err)
		}
	}
	secret := strings.TrimPrefix(text, key.Prefix()+"_")
	for name, headers := range map[string][]string{
		"nothing": nil, "empty": {""}, "no scheme": {text}, "basic": {"Basic " + text}, "two": {"Bearer " + text, "Bearer " + text}, "no secret": {"Bearer bf_" + key.ID + "_"},
		"no id": {"Bearer bf__" + secret}, "unknown id": {"Bearer bf_aaaaaaaaaa_" + secret}, "another's secret": {"Bearer bf_" + other.ID + "_" + secret},
		"cut": {"Bearer " + text[:len(text)-1]}, "longer": {"Bearer " + text + "a"}, "case": {"Bearer " + strings.ToUpper(text)}, "endless": {"Bearer bf_a_" + strings.Repeat("a", 1<<20)},
	} {
		if p, err := h.who(headers...); !errors.Is(err, ErrRefused) || p != (Principal{}) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	// Each refusal is written down, and never with a secret.
	if n := strings.Count(h.said.String(), "audit=true"); n != 13 {
		t.Errorf("%d refusals in the log, want 13", n)
	}
	if strings.Contains(h.said.String(), secret[:20]) || strings.Contains(h.said.String(), otherText) {
		t.Error("a secret stands in the log")
	}
}

func TestRevoked(t *testing.T) {
	s := empty()
	h := newHouse(t, s)
	old, oldText := h.create("shop")
	_, newText := h.create("shop") // side by side
	p, err := h.who("Bearer " + oldText)
	if err != nil || !h.Valid(p) {
		t.Fatalf("%+v %v", p, err)
	}
	if err := h.Revoke(old.ID); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*house{h, newHouse(t, s)} {
		if _, err := h.who("Bearer " + oldText); !errors.Is(err, ErrRefused) || h.Valid(p) {
			t.Errorf("the revoked key: %v, valid %v", err, h.Valid(p))
		}
		if p, err := h.who("Bearer " + newText); err != nil || !h.Valid(p) {
			t.Errorf("the other key: %v", err)
		}
		if err := h.Revoke(old.ID); err != nil {
			t.Errorf("again: %v", err)
		}
		if err := h.Revoke("nobodys"); !errors.Is(err, ErrNoKey) {
			t.Errorf("an unknown key: %v", err)
		}
	}
	if newHouse(t, s).Valid(Principal{Client: "shop", Key: "nobodys"}) {
		t.Error("a key that there never was is valid")
	}
}

// What is kept says nothing about a secret, and survives.
func TestKept(t *testing.T) {
	s := empty()
	h := newHouse(t, s)
	key, text := h.create("shop")
	h.create("bank")
	again := newHouse(t, s)
	if diff := cmp.Diff(h.List(), again.List()); diff != "" || len(h.List()) != 2 {
		t.Error(diff)
	}
	if got := again.Clients(); !slices.Equal(got, []string{"bank", "shop"}) {
		t.Errorf("clients %v", got)
	}
	for k, v := range s.kv {
		if strings.Contains(k+string(v), strings.TrimPrefix(text, key.Prefix()+"_")) {
			t.Errorf("%s holds the secret: %s", k, v)
		}
	}
	s.no = errors.New("the disk is gone")
	if _, _, err := h.Create(t.Context(), "shop", false); !errors.Is(err, s.no) || len(h.List()) != 2 {
		t.Errorf("a key that could not be kept: %v", err)
	}
	if err := h.Revoke(key.ID); !errors.Is(err, s.no) || !h.Valid(Principal{Key: key.ID}) {
		t.Errorf("a revocation that could not be kept: %v", err)
	}
	if _, err := Open(Config{Store: s, Prepare: h.Prepare, Log: h.Log}); !errors.Is(err, s.no) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

func TestClientNames(t *testing.T) {
	h := newHouse(t, empty())
	for _, name := range []string{"a", "betting-shop-7", strings.Repeat("x", 64)} {
		h.create(name)
	}
	prepared := len(h.prepared)
	for _, name := range []string{"", "A", "ä", "a b", "a.b", "a/b", "a_b", "a\n", strings.Repeat("x", 65)} {
		if _, _, err := h.Create(t.Context(), name, false); !errors.Is(err, ErrBadClient) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if len(h.prepared) != prepared {
		t.Error("something was prepared for a client that cannot be")
	}
}

func TestFirst(t *testing.T) {
	s, dir := empty(), t.TempDir()
	h := newHouse(t, s)
	text, err := h.First(t.Context(), dir)
	if err != nil || text == "" || !slices.Equal(h.prepared, []string{Demo}) {
		t.Fatalf("%q %v, prepared %v", text, err, h.prepared)
	}
	path := filepath.Join(dir, "demo.key")
	kept, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(kept)) != text {
		t.Errorf("kept %q (%v)", kept, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", st.Mode(), err)
	}
	if p, err := h.who("Bearer " + string(kept)); err != nil || p.Client != Demo {
		t.Errorf("%+v %v", p, err)
	}
	for _, h := range []*house{h, newHouse(t, s)} {
		if text, err := h.First(t.Context(), dir); err != nil || text != "" {
			t.Errorf("again: %q %v", text, err)
		}
	}
	// A key whose text cannot be kept is not kept either: the next start makes another.
	s = empty()
	if _, err := newHouse(t, s).First(t.Context(), filepath.Join(dir, "nowhere")); err == nil || len(s.kv) != 0 {
		t.Errorf("%v, and %d keys", err, len(s.kv))
	}
}

func TestAdmin(t *testing.T) { newHouse(t, empty()).admin(filepath.Join(t.TempDir(), "admin.sock")) }

// A data directory may have a longer name than the address of a socket.
func TestAdminInADirectoryWithALongName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long-", 30))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	newHouse(t, empty()).admin(filepath.Join(dir, "admin.sock"))
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := ListenAdmin(filepath.Join(dir, "nowhere", "admin.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
}

func (h *house) admin(socket string) {
	t := h.t
	a := NewAdminClient(socket)
	if _, err := a.List(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody listens: %v", err)
	}
	for range 2 { // the second finds the socket of the first
		l, err := ListenAdmin(socket)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(socket); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("mode %v (%v)", st.Mode(), err)
		}
		srv := &http.Server{Handler: h.Admin(), ReadHeaderTimeout: time.Second}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(l) }()
		h.adminLife(a)
		_ = srv.Close()
		<-done
	}
}

func (h *house) adminLife(a *AdminClient) {
	t := h.t
	made, err := a.Create(t.Context(), "shop", true)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.who("Bearer " + made.Text); err != nil || p != (Principal{"shop", made.ID, true}) {
		t.Errorf("%+v %v", p, err)
	}
	if diff := cmp.Diff(must(a.List(t.Context())), h.List()); diff != "" {
		t.Error(diff)
	}
	if err := a.Revoke(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if _, err := h.who("Bearer " + made.Text); err == nil {
		t.Error("the revoked key is good")
	}
	if err := a.Revoke(t.Context(), "nobodys/key"); err == nil || !strings.Contains(err.Error(), "keys list") {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := a.Create(t.Context(), "No Name", false); err == nil || !strings.Contains(err.Error(), "lower case") {
		t.Errorf("a bad name: %v", err)
	}
	if strings.Contains(h.said.String(), made.Text) {
		t.Error("the key stands in the log")
	}
}

func must(keys []Key, err error) []Key {
	if err != nil {
		panic(err)
	}
	return keys
}
