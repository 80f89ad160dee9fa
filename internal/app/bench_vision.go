package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bonafide-id/bonafide/internal/specimen"
)

// material is a 12-megapixel photograph of a specimen and the face video that set-up made.
func (b *Bench) material(dir string) (pictures, error) {
	p := pictures{Document: filepath.Join(dir, "document.jpg"), Selfie: filepath.Join(modelsDir(b.Models), "demo", "face.mp4")}
	draw := Specimen{Kind: string(specimen.Passport), Out: p.Document, Tamper: "none", Seed: 11, Scene: "4000x3000", Models: b.Models}
	if err := draw.Run(); err != nil {
		return p, err
	}
	_, err := os.Stat(p.Selfie)
	return p, err
}

// stage is one step of the vision, timed by itself on one thread.
type stage struct {
	name string
	run  func() error
}

// benchVision times each stage of the document and the selfie side by itself.
func benchVision(ctx context.Context, b *Bench, note func(string)) ([]figure, error) {
	dir, err := os.MkdirTemp("", "bonafide-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := b.material(dir)
	if err != nil {
		return nil, err
	}
	set, err := openModels(b.Models, unheard)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	stages, err := visionStages(ctx, set, p)
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, st := range stages {
		note(st.name)
		took, err := b.time(st)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", st.name, err)
		}
		out = append(out, figure{Name: st.name, Value: milliseconds(took), Unit: "ms"})
	}
	return out, nil
}

// time gives the median of several runs after one that warms up.
func (b *Bench) time(st stage) (time.Duration, error) {
	var took []time.Duration
	for i := range max(2, b.Rounds) + 1 {
		began := time.Now()
		if err := st.run(); err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, time.Since(began))
		}
	}
	return median(took), nil
}
