package deliver

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"
)

// piece is how much is written to a socket at a time: it must take this much before it counts as stalled.
const piece = 4 << 10

// socket writes lines to a client that may be slow. Every piece has a deadline of its own, so that only one who takes nothing at all is cut.
type socket struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     *bufio.Writer
	stalled time.Duration
}

func newSocket(w http.ResponseWriter, stalled time.Duration) *socket {
	s := &socket{w: w, control: http.NewResponseController(w), stalled: stalled}
	s.buf = bufio.NewWriterSize(pieces{s}, 8*piece)
	return s
}

type pieces struct{ *socket }

func (p pieces) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		var m int
		if err = p.arm(); err == nil {
			m, err = p.w.Write(b[:min(piece, len(b))])
		}
		n, b = n+m, b[m:]
	}
	return n, err
}

func (s *socket) arm() error { return s.control.SetWriteDeadline(time.Now().Add(s.stalled)) }

// open sends the headers of a stream.
func (s *socket) open() error {
	h := s.w.Header()
	h.Set("Content-Type", ndjson)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
	return s.flush()
}

// line writes one line, which leaves with the next flush at the latest.
func (s *socket) line(b []byte) error {
	if _, err := s.buf.Write(b); err != nil {
		return err
	}
	return s.buf.WriteByte('\n')
}

func (s *socket) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.line(b)
}

func (s *socket) flush() error {
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if err := s.arm(); err != nil {
		return err
	}
	return s.control.Flush()
}
