package face

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// TestOrdinaryPhotographs holds the floors of a usable picture against photographs that people did use.
func TestOrdinaryPhotographs(t *testing.T) {
	items := material.Lines[item](t, "B/manifest.jsonl")
	k := open(t)
	passed := map[string]int{}
	for _, it := range items {
		m := picture(t, filepath.Join(data, "B", it.File))
		_, l := k.examine(t, m)
		passed["size"] += one(l.SizeOK())
		passed["pose"] += one(l.PoseOK())
		passed["focus"] += one(l.FocusOK())
		passed["exposure"] += one(l.ExposureOK())
	}
	for what, n := range passed {
		t.Logf("%s: %d of %d", what, n, len(items))
		if n < len(items)*97/100 {
			t.Errorf("%s refuses ordinary photographs", what)
		}
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (k kit) examine(t testing.TB, m *pix.RGB) (Mesh, Look) {
	t.Helper()
	fs, err := k.find.Find(m)
	if err != nil || len(fs) == 0 {
		t.Fatalf("no face: %v", err)
	}
	mesh, err := k.mesh.Fit(m, fs[0])
	if err != nil {
		t.Fatal(err)
	}
	return mesh, Examine(m, mesh)
}

// large returns a few photographs with many pixels on the face.
func large(t testing.TB) []*pix.RGB {
	var all []*pix.RGB
	for _, it := range material.Lines[item](t, "B/manifest.jsonl") {
		if it.Set != "B1-deepface" || len(all) == 8 {
			continue
		}
		m := picture(t, filepath.Join(data, "B", it.File))
		w, h := pix.Fit(m.W, m.H, 900)
		all = append(all, pix.Resize(m, w, h))
	}
	return all
}

// TestSpoiltPhotographs spoils good photographs, one fault at a time, and wants each noticed.
func TestSpoiltPhotographs(t *testing.T) {
	k := open(t)
	for i, m := range large(t) {
		mesh, good := k.examine(t, m)
		if !good.FocusOK() || !good.ExposureOK() {
			t.Errorf("photograph %d: %+v", i, good)
		}
		if l := Examine(blur(m, good.EyeDistance/6), mesh); l.FocusOK() {
			t.Errorf("photograph %d blurred: focus %.1f, was %.1f", i, l.Focus, good.Focus)
		}
		if l := Examine(tone(m, 0.15, 0), mesh); l.ExposureOK() {
			t.Errorf("photograph %d darkened: %+v", i, l)
		}
		if l := Examine(tone(m, 2, 120), mesh); l.ExposureOK() {
			t.Errorf("photograph %d bleached: %+v", i, l)
		}
	}
}

// TestSmallFaces shrinks photographs: how far the face moves away from itself tells what size is enough.
func TestSmallFaces(t *testing.T) {
	k := open(t)
	for _, eyes := range []float64{60, 40, 30, 24, 20, 16, 12} {
		sum, n := 0.0, 0.0
		for _, m := range large(t) {
			mesh, l := k.examine(t, m)
			was, err := k.embed.Embed(m, mesh)
			if err != nil {
				t.Fatal(err)
			}
			f := math.Min(1, eyes/l.EyeDistance)
			small := pix.Resize(m, int(f*float64(m.W)), int(f*float64(m.H)))
			fs, err := k.find.FindAll(small)
			if err != nil || len(fs) == 0 {
				t.Logf("eyes %.0f px apart: face lost", eyes)
				continue
			}
			mesh, err = k.mesh.Fit(small, fs[0])
			if err != nil {
				t.Fatal(err)
			}
			is, err := k.embed.Embed(small, mesh)
			if err != nil {
				t.Fatal(err)
			}
			sum, n = sum+Distance(was, is), n+1
		}
		t.Logf("eyes %.0f px apart: mean distance to itself %.3f", eyes, sum/n)
		if eyes >= MinEyeDistance && sum/n > 0.35 {
			t.Errorf("at %.0f px a face is too far from itself", eyes)
		}
	}
}

// TestPoseSigns turns a known mesh.
func TestPoseSigns(t *testing.T) {
	var m Mesh
	m.P[RightCheek], m.P[LeftCheek] = Pt3{X: -50}, Pt3{X: 50}
	m.P[Forehead], m.P[Chin] = Pt3{Y: -60}, Pt3{Y: 60}
	m.P[RightEyeOuter], m.P[LeftEyeOuter] = Pt3{X: -30, Y: -20}, Pt3{X: 30, Y: -20}
	turned := m
	for i, p := range m.P { // 20° towards the person's left: the left cheek goes away from the camera
		s, c := math.Sincos(20 * math.Pi / 180)
		turned.P[i] = Pt3{p.X*c + p.Z*s, p.Y, p.X*s + p.Z*c}
	}
	if yaw := turned.Pose().Yaw; math.Abs(yaw-20) > 0.01 {
		t.Errorf("yaw %.2f, want 20", yaw)
	}
	turned = m
	turned.P[LeftEyeOuter].Y += 10
	if roll := turned.Pose().Roll; roll < 9 || roll > 10 {
		t.Errorf("roll %.2f", roll)
	}
}

// blur shrinks by r and grows again: nothing finer than r pixels is left.
func blur(m *pix.RGB, r float64) *pix.RGB {
	f := 1 / math.Max(1, r)
	return pix.Resize(pix.Resize(m, int(f*float64(m.W)), int(f*float64(m.H))), m.W, m.H)
}

func tone(m *pix.RGB, gain, lift float64) *pix.RGB {
	o := pix.NewRGB(m.W, m.H)
	for i, v := range m.Pix {
		o.Pix[i] = uint8(math.Min(255, gain*float64(v)+lift))
	}
	return o
}
