package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg" // portraits
	_ "image/png"  // portraits
	"os"
	"time"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/specimen"
)

// Specimen draws an identity document of an invented state, or a tampered twin of it.
type Specimen struct {
	Kind     string `required:"" enum:"passport,uk-card" help:"passport (TD3 data page) or uk-card (driving licence in the British manner)."`
	Out      string `required:"" type:"path" help:"The JPEG to write."`
	Portrait string `type:"existingfile" help:"Portrait of the holder (default: the one that set-up made)."`
	Tamper   string `enum:"none,portrait,text" default:"none" help:"What a forger did: portrait or text."`
	Seed     uint64 `default:"1" help:"Chooses the person, the numbers and the noise."`
	Scene    string `help:"Photograph it on a desk, in a picture of this size, such as 4000x3000 (default: a scan of the page)." placeholder:"WxH"`
	Truth    string `type:"path" help:"Also write what is on the document as JSON."`
	Models   string `type:"path" help:"Directory of the models (default: found beside the binary)."`
}

// Help gives an example.
func (*Specimen) Help() string {
	return "Example:\n  bonafide specimen --kind passport --out passport.jpg\n  bonafide specimen --kind uk-card --tamper text --out forged.jpg"
}

// Run draws it and writes the file.
func (c *Specimen) Run() error {
	o, err := c.options()
	if err != nil {
		return err
	}
	drawn, err := specimen.Draw(o)
	if err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	var b bytes.Buffer
	if err := drawn.JPEG(&b); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	if err := os.WriteFile(c.Out, b.Bytes(), 0o644); err != nil || c.Truth == "" {
		return err
	}
	truth, err := json.MarshalIndent(drawn.Truth, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Truth, truth, 0o644)
}

func (c *Specimen) options() (specimen.Options, error) {
	o := specimen.Options{Kind: specimen.Kind(c.Kind), Seed: c.Seed, Now: time.Now()}
	if c.Tamper != "none" {
		o.Tamper = specimen.Tamper(c.Tamper)
	}
	if c.Scene != "" {
		o.Scene = &specimen.Scene{}
		if _, err := fmt.Sscanf(c.Scene, "%dx%d", &o.Scene.W, &o.Scene.H); err != nil {
			return o, usageError{fmt.Sprintf("--scene %s: want a size such as 4000x3000", c.Scene)}
		}
	}
	var err error
	if o.Material, err = specimen.LoadMaterial(modelsDir(c.Models)); err != nil || c.Portrait == "" {
		return o, err
	}
	f, err := os.Open(c.Portrait)
	if err != nil {
		return o, err
	}
	defer f.Close()
	if o.Portrait, _, err = image.Decode(f); err != nil {
		return o, fmt.Errorf("reading portrait %s: %w", c.Portrait, err)
	}
	return o, nil
}

// modelsDir is the directory asked for, or the one that is found.
func modelsDir(asked string) string {
	if asked != "" {
		return asked
	}
	return models.Find()
}
