package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bonafide-id/bonafide/internal/models/convert"
)

// noticeText goes beside the models: where each comes from, its licence, and what was changed.
//
//go:embed NOTICE
var noticeText []byte

const (
	notice     = "NOTICE"
	ownWeights = "train/weights" // relative to the repository, where setup runs
)

func demoFiles() []string {
	files := []string{"demo/portrait.jpg", "demo/face.mp4"}
	for _, f := range fonts {
		files = append(files, "fonts/"+filepath.Base(f))
	}
	return files
}

// fill makes everything in dir; work is a folder for downloads that the caller deletes.
func fill(dir, work string) error {
	at := map[string]string{} // package → folder with its files
	for _, s := range sources {
		fmt.Println("setup: fetching", s.name, s.version)
		folder, err := s.get(work)
		if err != nil {
			return err
		}
		at[s.name] = folder
	}
	steps := []func(string, map[string]string) error{runtimeAndText, faces, own, demo, licences}
	for _, step := range steps {
		if err := step(dir, at); err != nil {
			return err
		}
	}
	_, err := write(filepath.Join(dir, notice), bytes.NewReader(noticeText))
	return err
}

// runtimeAndText places ONNX Runtime and the PP-OCR models, and cuts the recogniser to Latin. A tenth of the detector's
// weights are denormal: without them it takes 70 ms for a page instead of 235.
func runtimeAndText(dir string, at map[string]string) error {
	text := filepath.Join(at["rapidocr"], "rapidocr", "models")
	for src, dst := range map[string]string{
		filepath.Join(at["onnxruntime"], "onnxruntime", "capi", "libonnxruntime.so.1.30.0"): "libonnxruntime.so.1.30.0",
		filepath.Join(text, "ch_ppocr_mobile_v2.0_cls_mobile.onnx"):                         "text-cls.onnx",
	} {
		if err := place(src, filepath.Join(dir, dst)); err != nil {
			return err
		}
	}
	fmt.Println("setup: clearing denormal weights from the text detector")
	if err := change(filepath.Join(text, "PP-OCRv6_det_small.onnx"), filepath.Join(dir, "text-det.onnx"), convert.FlushDenormals); err != nil {
		return err
	}
	fmt.Println("setup: cutting the text recogniser to Latin characters")
	return change(filepath.Join(text, "PP-OCRv6_rec_small.onnx"), filepath.Join(dir, "text-rec.onnx"), func(m []byte) ([]byte, error) {
		return convert.PruneClasses(m, convert.Latin)
	})
}

// change copies a model through a conversion.
func change(src, dst string, convert func([]byte) ([]byte, error)) error {
	b, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	if b, err = convert(b); err != nil {
		return err
	}
	return store(dst, b)
}

// faces converts the TensorFlow.js networks.
func faces(dir string, at map[string]string) error {
	fmt.Println("setup: converting the face models to ONNX")
	human := os.DirFS(filepath.Join(at["@vladmandic/human"], "package", "models"))
	for _, name := range []string{"blazeface", "facemesh"} {
		m, err := convert.GraphModel(human, name+".json")
		if err != nil {
			return err
		}
		if err := store(filepath.Join(dir, name+".onnx"), m); err != nil {
			return err
		}
	}
	api := os.DirFS(filepath.Join(at["@vladmandic/face-api"], "package", "model"))
	m, err := convert.Descriptor(api, "face_recognition_model-weights_manifest.json")
	if err != nil {
		return err
	}
	return store(filepath.Join(dir, "face-embedding.onnx"), m)
}

func own(dir string, _ map[string]string) error {
	for _, name := range []string{"corners.onnx", "mrz.onnx"} {
		if err := place(filepath.FromSlash(ownWeights+"/"+name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// demo makes the portrait and the face video, and copies the fonts of the specimen generator.
func demo(dir string, at map[string]string) error {
	for _, f := range fonts {
		if err := place(f, filepath.Join(dir, "fonts", filepath.Base(f))); err != nil {
			return fmt.Errorf("%w (Debian packages fonts-ocr-b and fonts-dejavu-core bring it)", err)
		}
	}
	photo := filepath.Join(at["scikit-image"], "skimage", "data", "astronaut.png")
	if err := portrait(photo, filepath.Join(dir, "demo", "portrait.jpg")); err != nil {
		return err
	}
	fmt.Println("setup: filming the demo's face video from a photograph")
	video, err := filepath.Abs(filepath.Join(dir, "demo", "face.mp4"))
	if err != nil {
		return err
	}
	return faceVideo(photo, video)
}

// licences keeps the licence texts that came with the packages.
func licences(dir string, at map[string]string) error {
	for _, s := range sources {
		for name, digest := range s.files {
			if digest != "" {
				continue
			}
			label := strings.NewReplacer("@", "", "/", "-").Replace(s.name)
			to := filepath.Join(dir, "licences", label, filepath.Base(name))
			if err := place(filepath.Join(at[s.name], filepath.FromSlash(name)), to); err != nil {
				return err
			}
		}
	}
	return nil
}

// place copies a file; a reader of the target never sees half of it.
func place(src, dst string) error {
	b, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	return store(dst, b)
}

func store(dst string, b []byte) error {
	part := dst + ".part"
	if _, err := write(part, bytes.NewReader(b)); err != nil {
		return err
	}
	return os.Rename(part, dst)
}
