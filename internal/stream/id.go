package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
)

// DeriveID hashes the parts to 32 hexadecimal digits: 128 bits of SHA-256 over each part behind its length.
func DeriveID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.AppendUvarint(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// idFromInputs is the id of what a worker or a chain says: who worked on what. Work done twice gives the same id.
func idFromInputs(inputs []string, source string, version int, o Output) string {
	return DeriveID(strings.Join(inputs, " "), source, strconv.Itoa(version), o.name(), strconv.Itoa(o.Ordinal))
}

// idFromVerification is the id of what a fold or ingest says: not of the fact that made it due, so that two owners say the same thing
// under the same id.
func idFromVerification(verification, source string, version int, o Output) string {
	return DeriveID(verification, source, strconv.Itoa(version), o.name(), strconv.Itoa(o.Ordinal))
}

func (o Output) name() string {
	if o.Name != "" {
		return o.Name
	}
	if o.Kind == envelopev1.Kind_KIND_FINDING {
		return check.Key{Check: o.Check, Medium: o.Medium}.String()
	}
	name := kindName(o.Kind)
	if o.Medium != envelopev1.Medium_MEDIUM_UNSPECIFIED {
		name += "@" + check.Name(o.Medium)
	}
	return name
}

func kindName(k envelopev1.Kind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))
}

// inputIDs are the sorted ids of the message at hand and of what else an output rests on.
func inputIDs(m *Message, also []*Message) []string {
	ids := []string{m.GetId()}
	for _, a := range also {
		ids = append(ids, a.GetId())
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
