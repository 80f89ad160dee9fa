package frame

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gowebpki/jcs"
)

// unhashed are the members that Splice adds.
var unhashed = []string{"t", "l", "o", "c", "attempt", "prev_hash", "hash", "salt"}

// Parse reads one frame of type msg. Members that it does not know are ignored, as newer servers may add some.
func Parse(line []byte) (Msg, error) {
	var m Msg
	if err := json.Unmarshal(line, &m); err != nil {
		return Msg{}, fmt.Errorf("reading a frame: %w", err)
	}
	if m.T != "msg" {
		return Msg{}, fmt.Errorf("frame is a %q and not a msg", m.T)
	}
	return m, nil
}

// Strip gives back the hashed body of a frame in canonical form. A member that stands twice is an error: two readers might take two different ones.
func Strip(line []byte) ([]byte, error) {
	if !json.Valid(line) {
		return nil, errors.New("frame is not JSON")
	}
	canonical, err := jcs.Transform(line)
	if err != nil {
		return nil, fmt.Errorf("frame has no canonical form: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(canonical, &members); err != nil {
		return nil, fmt.Errorf("frame is no object: %w", err)
	}
	for _, name := range unhashed {
		delete(members, name)
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(rest)
}

// Checker follows the chain of one verification, frame by frame from the first. The zero value is ready.
type Checker struct {
	verification string
	seq          uint64
	hash         string
}

// Add checks the next frame; the error says what is wrong with the chain. A frame that came twice in a row is taken once.
func (c *Checker) Add(line []byte) error {
	m, err := Parse(line)
	if err != nil {
		return err
	}
	body, err := Strip(line)
	if err != nil {
		return err
	}
	if c.seq == 0 {
		c.verification, c.hash = m.Verification, Genesis
	}
	switch {
	case m.Verification != c.verification:
		return fmt.Errorf("frame of verification %s in the chain of %s", m.Verification, c.verification)
	case Hash(m.PrevHash, m.Salt, body) != m.Hash:
		return fmt.Errorf("frame %d was changed: its hash does not hold", m.Seq)
	case c.seq > 0 && m.Seq == c.seq && m.Hash == c.hash:
		return nil
	case m.Seq != c.seq+1:
		return fmt.Errorf("frame %d follows frame %d", m.Seq, c.seq)
	case m.PrevHash != c.hash:
		return fmt.Errorf("frame %d does not continue frame %d: prev_hash is another", m.Seq, c.seq)
	}
	c.seq, c.hash = m.Seq, m.Hash
	return nil
}

// Verify checks the chain of one verification from its first frame; lines are frames of type msg.
func Verify(lines [][]byte) error {
	var c Checker
	for _, l := range lines {
		if err := c.Add(l); err != nil {
			return err
		}
	}
	return nil
}
