package app

import (
	"context"
	"errors"
	"os"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/page"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

// eyes are the networks, and what one stage hands on to the next.
type eyes struct {
	corners *page.Corners
	detect  *ocr.Detector
	read    *ocr.Reader
	zones   *zone.Reader
	faces   *face.Detector
	meshes  *face.Mesher
	embed   *face.Embedder
	decoder *video.Decoder

	picture *picture.Picture
	where   page.Location
	page    *page.Page
	lines   []pix.Quad
	found   []face.Face
	mesh    face.Mesh
}

// The sizes that the document service works at, in pixels of the long side.
const (
	benchPicture = 2000
	benchPage    = 1400
)

var errNothingSeen = errors.New("the stage before found nothing to work on")

func visionStages(ctx context.Context, set *models.Set, p pictures) ([]stage, error) {
	e, err := openEyes(ctx, set)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(p.Document)
	if err != nil {
		return nil, err
	}
	return []stage{
		{"decode a 12-MP JPEG at half size", func() (err error) {
			e.picture, err = picture.Decode(data, picture.Options{MinLongSide: benchPicture})
			return err
		}},
		{"locate the document", func() (err error) { e.where, err = e.corners.Locate(e.picture.RGB); return err }},
		{"rectify to 1400 px", func() error { e.page = page.Rectify(e.picture.RGB, e.where.Quad, benchPage); return nil }},
		{"find text lines", func() (err error) { e.lines, err = e.detect.Lines(e.page.RGB); return err }},
		{"find and read the MRZ", func() error { _, err := e.zones.Find(e.page.RGB, e.lines); return err }},
		{"read every line", e.readAll},
		{"find the face", func() (err error) { e.found, err = e.faces.Find(e.page.RGB); return err }},
		{"fit the mesh", e.fit},
		{"embed the face", func() error { _, err := e.embed.Embed(e.page.RGB, e.mesh); return err }},
		{"decode 5 s of 1080p in the sandbox", func() error { return e.watch(ctx, p.Selfie) }},
	}, nil
}

func openEyes(ctx context.Context, set *models.Set) (*eyes, error) {
	e := &eyes{}
	corners, err := set.Get("corners")
	if err != nil {
		return nil, err
	}
	e.corners = page.NewCorners(corners)
	dep, err := dependency("video decoder", unheard)
	if err != nil {
		return nil, err
	}
	for _, open := range []func() error{
		func() (err error) { e.detect, err = ocr.NewDetector(set); return },
		func() (err error) { e.read, err = ocr.NewReader(set); return },
		func() (err error) { e.zones, err = zone.NewReader(set); return },
		func() (err error) { e.faces, err = face.NewDetector(set); return },
		func() (err error) { e.meshes, err = face.NewMesher(set); return },
		func() (err error) { e.embed, err = face.NewEmbedder(set); return },
		func() (err error) { e.decoder, err = video.New(ctx, video.Config{Dependency: dep}); return },
	} {
		if err := open(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *eyes) readAll() error {
	for _, q := range e.lines {
		if _, err := e.read.Read(e.page.RGB, q); err != nil {
			return err
		}
	}
	return nil
}

func (e *eyes) fit() (err error) {
	if len(e.found) == 0 {
		return errNothingSeen
	}
	e.mesh, err = e.meshes.Fit(e.page.RGB, e.found[0])
	return err
}

func (e *eyes) watch(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = e.decoder.Frames(ctx, f, video.Options{}, func(video.Frame) error { return nil })
	return err
}
