package convert

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// characterKey is the metadata entry in which PP-OCR keeps its alphabet, one character a line.
const characterKey = "character"

// Latin reports whether a character is wanted of a reader of European documents: ASCII, Latin-1,
// Latin Extended-A, the Romanian comma letters, a few letters of other Latin alphabets, and the
// punctuation that is printed on documents.
func Latin(char string) bool {
	r := []rune(char)
	if len(r) != 1 {
		return false
	}
	return r[0] > 0x20 && r[0] < 0x180 || strings.ContainsRune("ȘșȚțẞƏəƠơƯư–—‘’“”„…€№•·", r[0])
}

// PruneClasses cuts the head of a PP-OCR text recogniser down to the characters for which keep is
// true. Class 0 (the CTC blank) and the last one (the space) always stay. The alphabet in the
// metadata is cut to match, so a reader of the new file needs to know nothing of the cut; what the
// network says of the classes that stay is unchanged up to the softmax over fewer of them.
func PruneClasses(model []byte, keep func(char string) bool) ([]byte, error) {
	alphabet, err := alphabetOf(model)
	if err != nil {
		return nil, fmt.Errorf("pruning classes: %w", err)
	}
	p := pruner{classes: len(alphabet) + 2, kept: []int{0}}
	var chars []string
	for k, c := range alphabet {
		if keep(c) {
			p.kept, chars = append(p.kept, k+1), append(chars, c)
		}
	}
	p.kept = append(p.kept, p.classes-1)
	p.alphabet = strings.Join(chars, "\n")
	out, err := p.model(model)
	if err != nil {
		return nil, fmt.Errorf("pruning classes: %w", err)
	}
	if p.cut == 0 {
		return nil, fmt.Errorf("pruning classes: no weights with %d classes", p.classes)
	}
	return out, nil
}

func alphabetOf(model []byte) ([]string, error) {
	var alphabet []string
	_, err := rewrite(model, func(f field) ([]byte, error) {
		if key, value := entry(f); f.num == modelMetadata && key == characterKey {
			alphabet = strings.Split(value, "\n")
		}
		return f.raw, nil
	})
	if err == nil && alphabet == nil {
		err = errors.New("no alphabet in the metadata")
	}
	return alphabet, err
}

// entry reads a StringStringEntryProto: a key and its value.
func entry(f field) (key, value string) {
	_, err := rewrite(f.value, func(e field) ([]byte, error) {
		switch e.num {
		case 1:
			key = string(e.value)
		case 2:
			value = string(e.value)
		}
		return nil, nil
	})
	if err != nil {
		return "", ""
	}
	return key, value
}

type pruner struct {
	classes  int   // of the original
	kept     []int // in ascending order
	alphabet string
	cut      int // weights cut so far
}

func (p *pruner) model(b []byte) ([]byte, error) {
	return rewrite(b, func(f field) ([]byte, error) {
		switch key, _ := entry(f); {
		case f.num == modelGraph:
			g, err := rewrite(f.value, p.graph)
			return appendBytes(nil, f.num, g), err
		case f.num == modelMetadata && key == characterKey:
			e := appendText(appendText(nil, 1, key), 2, p.alphabet)
			return appendBytes(nil, f.num, e), nil
		}
		return f.raw, nil
	})
}

func (p *pruner) graph(f field) ([]byte, error) {
	switch f.num {
	case graphInitializer:
		t, err := p.weights(f.value)
		return appendBytes(nil, f.num, t), err
	case graphOutput, graphValueInfo:
		v, err := p.shape(f.value, valueType, typeTensor, typeShape)
		return appendBytes(nil, f.num, v), err
	}
	return f.raw, nil
}

// weights cuts the last axis of a tensor that has one entry a class.
func (p *pruner) weights(b []byte) ([]byte, error) {
	var dims []int64
	if _, err := rewrite(b, func(f field) ([]byte, error) {
		if f.num == tensorDims {
			dims = append(dims, f.ints()...)
		}
		return nil, nil
	}); err != nil || len(dims) == 0 || dims[len(dims)-1] != int64(p.classes) {
		return b, err
	}
	dims[len(dims)-1] = int64(len(p.kept))
	var out []byte
	for _, d := range dims {
		out = appendInt(out, tensorDims, d)
	}
	rest, err := rewrite(b, func(f field) ([]byte, error) {
		switch f.num {
		case tensorDims:
			return nil, nil
		case tensorRaw:
			p.cut++
			return appendBytes(nil, f.num, p.columns(f.value)), nil
		}
		return f.raw, nil
	})
	return append(out, rest...), err
}

// columns keeps the wanted columns of a row-major matrix of 4-byte values, p.classes wide.
func (p *pruner) columns(raw []byte) []byte {
	var out []byte
	for row := 0; row+4*p.classes <= len(raw); row += 4 * p.classes {
		for _, k := range p.kept {
			out = append(out, raw[row+4*k:row+4*k+4]...)
		}
	}
	return out
}

// shape follows path into a ValueInfoProto and sets every dimension that counts the classes.
func (p *pruner) shape(b []byte, path ...protowire.Number) ([]byte, error) {
	return rewrite(b, func(f field) ([]byte, error) {
		if len(path) > 0 && f.num == path[0] {
			v, err := p.shape(f.value, path[1:]...)
			return appendBytes(nil, f.num, v), err
		}
		if n := f.dim(); len(path) == 0 && f.num == shapeDim && n == int64(p.classes) {
			return appendBytes(nil, f.num, appendInt(nil, dimValue, int64(len(p.kept)))), nil
		}
		return f.raw, nil
	})
}
