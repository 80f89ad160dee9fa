package app

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
)

// local starts the whole system in this process on a temporary directory, and gives a client of it and a way to end both.
func local(ctx context.Context, s streams, models string) (*client, func(), error) {
	dir, err := os.MkdirTemp("", "bonafide-")
	if err != nil {
		return nil, nil, err
	}
	p, err := start(context.WithoutCancel(ctx), streams{s.err, s.err}, config{Data: dir, Listen: "127.0.0.1:0", Models: models}, nil)
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	end := func() {
		p.stop()
		_ = p.wait()
		os.RemoveAll(dir)
	}
	key, err := os.ReadFile(filepath.Join(dir, "demo.key"))
	if err != nil {
		end()
		return nil, nil, err
	}
	return &client{p.url, string(key), http.DefaultClient}, end, nil
}
