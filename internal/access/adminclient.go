package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// ErrNotRunning says that nobody listens on the admin socket.
var ErrNotRunning = errors.New("bonafide is not running on this data directory: start it with `bonafide up`")

// AdminClient manages keys through the admin socket of a running system.
type AdminClient struct{ http *http.Client }

// NewAdminClient speaks to the socket at a path.
func NewAdminClient(socket string) *AdminClient {
	connect := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := dial(ctx, socket)
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", ErrNotRunning, err)
		}
		return c, nil
	}
	return &AdminClient{&http.Client{Transport: &http.Transport{DialContext: connect, DisableKeepAlives: true}}}
}

// Create makes a key for a client.
func (a *AdminClient) Create(ctx context.Context, client string, sandbox bool) (Created, error) {
	var out Created
	return out, a.do(ctx, http.MethodPost, "/keys", wanted{client, sandbox}, &out)
}

// List gives every key.
func (a *AdminClient) List(ctx context.Context) ([]Key, error) {
	var out Listed
	err := a.do(ctx, http.MethodGet, "/keys", nil, &out)
	return out.Keys, err
}

// Revoke makes a key worthless from now on.
func (a *AdminClient) Revoke(ctx context.Context, id string) error {
	return a.do(ctx, http.MethodDelete, "/keys/"+url.PathEscape(id), nil, nil)
}

func (a *AdminClient) do(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, &body)
	if err != nil {
		return err
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return said(b, resp.Status)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// said is what a problem tells people.
func said(body []byte, status string) error {
	var p struct{ Detail string }
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		p.Detail = status
	}
	return errors.New(p.Detail)
}
