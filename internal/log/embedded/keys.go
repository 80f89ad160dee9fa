package embedded

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/bonafide-id/bonafide/internal/log"
)

// The key space. Records stand first and everything else behind them, so that what is written now (the
// newest segment and the small things) is one end of it, and compactions leave the old records alone.
// A segment is some 64 MiB of records of all lanes: trimming drops whole runs of neighbouring keys, and
// with them whole tables, without rewriting anything.
//
//	a segment topic lane offset   a record
//	c                             the log's epoch
//	f topic lane                  where a trimmed lane begins
//	g group 0 topic lane          a committed position
//	i topic lane segment          where a lane begins within a segment
//	s state 0 lane key            state of a group
//	t topic                       a topic
//	~counter                      number of the last batch
//
// All numbers are big-endian: segment 8 bytes, topic (its number) 4, lane 4, offset 8.
const (
	kindRecord  = 'a'
	kindEpoch   = 'c'
	kindFirst   = 'f'
	kindGroup   = 'g'
	kindIndex   = 'i'
	kindState   = 's'
	kindTopic   = 't'
	segmentSize = 64 << 20
)

func key(kind byte, size int) []byte { return append(make([]byte, 0, 1+size), kind) }

func u32[T int32 | uint32](b []byte, v T) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func u64[T int64 | uint64](b []byte, v T) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func laneKey(seg uint64, topic uint32, lane int32) []byte {
	return u32(u32(u64(key(kindRecord, 24), seg), topic), lane)
}

func recordKey(seg uint64, topic uint32, lane int32, off int64) []byte {
	return u64(laneKey(seg, topic, lane), off)
}

func offsetOf(k []byte) int64 { return int64(binary.BigEndian.Uint64(k[len(k)-8:])) }

func topicKey(topic uint32) []byte { return u32(key(kindTopic, 4), topic) }

func firstKey(topic uint32, lane int32) []byte { return u32(u32(key(kindFirst, 8), topic), lane) }

func indexKey(topic uint32, lane int32, seg uint64) []byte {
	return u64(u32(u32(key(kindIndex, 16), topic), lane), seg)
}

func groupKey(group string, topic uint32, lane int32) []byte {
	b := append(key(kindGroup, len(group)+9), group...)
	return u32(u32(append(b, 0), topic), lane)
}

func stateKey(state string, lane int32, k []byte) []byte {
	b := append(key(kindState, len(state)+5+len(k)), state...)
	return append(u32(append(b, 0), lane), k...)
}

// after is the first key behind all keys with this prefix.
func after(prefix []byte) []byte {
	b := append([]byte(nil), prefix...)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}

// sum puts a checksum of key and value before a value; unsum takes it off. Pebble has checksums of its
// own, over blocks on disk: these hold from the moment of writing, and bind a value to its place.
func sum(key, val []byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(val)), checksum(key, val))
	return append(b, val...)
}

func checksum(key, val []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, val)
}

func unsum(key, b []byte) ([]byte, error) {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != checksum(key, b[4:]) {
		return nil, &log.DamagedError{Lane: -1, Err: errChecksum}
	}
	return b[4:], nil
}
