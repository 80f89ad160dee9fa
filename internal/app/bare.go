package app

import (
	"bytes"
	"encoding/json"
	"os"

	"golang.org/x/image/tiff"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/service/face"
	seenface "github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// bare is the two parts of the vision that an evaluation asks by themselves: are two faces one person, and what does a line say.
type bare struct {
	set        *models.Set
	faceReader *seenface.Reader
	lines      *zone.Reader
}

func openBare(dir string) (b *bare, err error) {
	b = &bare{}
	if b.set, err = openModels(dir, unheard); err != nil {
		return nil, err
	}
	for _, open := range []func() error{
		func() (err error) { b.faceReader, err = seenface.NewReader(b.set); return },
		func() (err error) { b.lines, err = zone.NewReader(b.set); return },
	} {
		if err := open(); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *bare) close() { b.set.Close() }

// faces compares the largest faces of two pictures.
func (b *bare) faces(pathA, pathB string) (f evalFinding, err error) {
	first, err := readPicture(pathA)
	if err != nil {
		return f, err
	}
	second, err := readPicture(pathB)
	if err != nil {
		return f, err
	}
	outcome, reason, found, err := face.CompareImages(b.faceReader, first, second)
	if err != nil {
		return f, err
	}
	f = evalFinding{Check: face.AcrossImages, Outcome: check.OutcomeName(outcome), Reason: reason}
	if s := found.GetScore(); s != nil {
		f.Score, err = json.Marshal(map[string]any{"raw": s.GetRaw(), "probability": s.GetProbability(), "threshold": s.GetThreshold(), "operating_point": s.GetOperatingPoint()})
	}
	return f, err
}

// mrzLine reads a crop of one line of a machine-readable zone.
func (b *bare) mrzLine(path string) (evalFinding, error) {
	f := evalFinding{Check: "doc.mrz.line"}
	m, err := readPicture(path)
	if err != nil {
		return f, err
	}
	line, err := b.lines.Line(m)
	if err != nil {
		return f, err
	}
	f.Outcome = "pass"
	if line.Text == "" {
		f.Outcome, f.Reason = "fail", "not_a_line"
	}
	f.Value, err = json.Marshal(map[string]any{"text": line.Text, "confidence": line.Conf})
	return f, err
}

// readPicture decodes a picture as uploads are decoded, and besides what research sets keep pictures in and nobody uploads: portable greymaps and TIFF.
func readPicture(path string) (*pix.RGB, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if m, err := greymap(data); err == nil {
		return m, nil
	}
	if m, err := tiff.Decode(bytes.NewReader(data)); err == nil {
		return pix.FromImage(m), nil
	}
	p, err := picture.Decode(data, picture.Options{})
	if err != nil {
		return nil, err
	}
	return p.RGB, nil
}
