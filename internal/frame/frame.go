// Package frame is the JSON that a client sees of its verifications.
//
// An Event is one fact of one verification: who it is about, its place (seq, dense from 1), what happened and when. Its Body is canonical JSON (RFC
// 8785) and never changes. Every body is chained to the one before it:
//
//	hash = SHA-256(prev_hash ‖ salt ‖ body)
//
// where prev_hash and salt are the hexadecimal text that stands in the frame, and the first prev_hash is 64 zeros. So a client proves with nothing
// but JSON that it missed nothing and that nothing was changed. The salt belongs to the verification's key: once that is destroyed, nobody can
// guess from a hash what was in the body.
//
// A Msg is the event on the wire: the body, with the chain and the place in the feed spliced in before it. Those added members are not hashed.
package frame

// Event is the hashed part of a frame. Of the pointers, the one that Type names is set.
type Event struct {
	ID           string    `json:"id"`
	Verification string    `json:"verification"`
	Seq          uint64    `json:"seq"`
	Type         string    `json:"type"`
	Time         string    `json:"time"` // append time of the fact: RFC 3339, microseconds, UTC
	Late         bool      `json:"late,omitempty"`
	Opened       *Opened   `json:"opened,omitempty"`
	Finding      *Finding  `json:"finding,omitempty"`
	Summary      *Summary  `json:"summary,omitempty"`
	Decision     *Decision `json:"decision,omitempty"`
	Ended        *Ended    `json:"ended,omitempty"`
	Incident     *Incident `json:"incident,omitempty"`
	Erased       *Erased   `json:"erased,omitempty"`
}

// Head is what deliver adds to a body to make it a frame; none of it is hashed.
type Head struct {
	T        string `json:"t"` // "msg"
	Lane     int    `json:"l"`
	Offset   int64  `json:"o"`
	Cursor   string `json:"c"`
	Attempt  int    `json:"attempt"`
	PrevHash string `json:"prev_hash"`
	Hash     string `json:"hash"`
	Salt     string `json:"salt"`
}

// Msg is a whole frame as a client reads it.
type Msg struct {
	Head
	Event
}

// Opened is the request as it was accepted.
type Opened struct {
	Wants      []string `json:"wants"`
	DeadlineMS uint32   `json:"deadline_ms"`
	Catalogue  uint32   `json:"catalogue"`
	Reference  string   `json:"reference"`
}

// Finding is one thing that one service learned.
type Finding struct {
	Check         string    `json:"check"`
	Outcome       string    `json:"outcome"`
	Reason        string    `json:"reason"`
	Value         *Value    `json:"value,omitempty"`
	Score         *Score    `json:"score,omitempty"`
	Evidence      Evidence  `json:"evidence"`
	Detector      *Detector `json:"detector,omitempty"`
	TookMS        uint32    `json:"took_ms"`
	SinceUploadMS *int64    `json:"since_upload_ms,omitempty"` // absent where it rests on no medium
	Supersedes    string    `json:"supersedes"`
}

// Value is what was read: one of its members, and for text 0 to 1 for each character.
type Value struct {
	Text       *string      `json:"text,omitempty"`
	Date       *string      `json:"date,omitempty"` // ISO 8601
	Number     *float64     `json:"number,omitempty"`
	Class      *string      `json:"class,omitempty"`
	Polygon    [][2]float32 `json:"polygon,omitempty"` // pixels of the uploaded medium
	Confidence []float32    `json:"confidence,omitempty"`
}

// Score keeps apart what was measured and what it means.
type Score struct {
	Raw            *float64 `json:"raw,omitempty"`
	Probability    *float64 `json:"probability,omitempty"` // only where the raw score was calibrated
	Threshold      *float64 `json:"threshold,omitempty"`
	OperatingPoint string   `json:"operating_point,omitempty"`
}

// Evidence says where it was seen.
type Evidence struct {
	Medium  string       `json:"medium"`
	SHA256  string       `json:"sha256,omitempty"`
	Frame   uint32       `json:"frame"`
	Polygon [][2]float32 `json:"polygon,omitempty"` // pixels of the uploaded medium
	Field   string       `json:"field,omitempty"`
}

// Detector says who says so.
type Detector struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Model   string `json:"model,omitempty"`
}

// Summary is the status of each group.
type Summary struct {
	Groups   map[string]string `json:"groups"`
	Open     uint32            `json:"open"`
	Complete bool              `json:"complete"`
}

// Decision was made by the client's own rules.
type Decision struct {
	Outcome     string   `json:"outcome"`
	Provisional bool     `json:"provisional"`
	ExpiresAt   *string  `json:"expires_at"`
	Rule        string   `json:"rule"`
	Because     []string `json:"because"` // ids of events
}

// Ended says that nothing more is waited for.
type Ended struct {
	Reason   string `json:"reason"`
	Findings uint32 `json:"findings"`
	TookMS   uint32 `json:"took_ms"`
}

// Incident says that a dependency misbehaved and what was decided.
type Incident struct {
	Dependency string `json:"dependency"`
	Condition  string `json:"condition"`
	Action     string `json:"action"`
}

// Erased says that the data of the verification is gone for good.
type Erased struct {
	By      string `json:"by"`
	Receipt string `json:"receipt"`
}
