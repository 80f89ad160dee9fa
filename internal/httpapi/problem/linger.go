package problem

import (
	"net/http"
	"time"
)

// linger is how long the rest of a refused body is read and thrown away. A client that is still sending would otherwise meet a reset
// connection instead of the answer; on a local network 200 MB fit into this time.
const (
	linger = 5 * time.Second
	silent = time.Second // a client that sends nothing for so long has read the answer, or never will
)

// Refuse answers before the body, if there is one, was read to its end: the answer goes out first, then what is still coming is thrown away for
// a moment, and the connection is closed.
func (p *Problem) Refuse(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		p.Write(w)
		return
	}
	c := http.NewResponseController(w)
	duplex := c.EnableFullDuplex() == nil
	w.Header().Set("Connection", "close")
	p.Write(w)
	if !duplex || r.Header.Get("Expect") != "" || c.Flush() != nil {
		return // a client that waits for "100 Continue" has sent nothing
	}
	buf := make([]byte, 64<<10)
	for end := time.Now().Add(linger); time.Now().Before(end) && c.SetReadDeadline(time.Now().Add(silent)) == nil; {
		if _, err := r.Body.Read(buf); err != nil {
			return
		}
	}
}
