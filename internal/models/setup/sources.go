package main

// source is a published package that carries files we need. Packages are named by exact version, and
// every file taken from one is checked against a digest, so a package that changed is noticed.
type source struct {
	name, version string
	fetch         func(dir, name, version string) error
	files         map[string]string // path in the archive → SHA-256, or "" for licence texts
}

var sources = []source{
	{"onnxruntime", "1.30.0", pip, map[string]string{
		"onnxruntime/capi/libonnxruntime.so.1.30.0": "c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed",
		"onnxruntime/LICENSE":                       "",
		"onnxruntime/ThirdPartyNotices.txt":         "",
	}},
	{"rapidocr", "3.10.0", pip, map[string]string{
		"rapidocr/models/PP-OCRv6_det_small.onnx":              "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
		"rapidocr/models/PP-OCRv6_rec_small.onnx":              "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
		"rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx": "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
		"rapidocr-3.10.0.dist-info/licenses/LICENSE":           "",
		"rapidocr-3.10.0.dist-info/licenses/MODEL_LICENSES.md": "",
	}},
	{"scikit-image", "0.26.0", pip, map[string]string{
		"skimage/data/astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
	}},
	{"@vladmandic/human", "3.3.6", npm, map[string]string{
		"package/models/blazeface.json": "cd7bbfc078270572beb39f9e5ae67aadbd50b5e67cff37e6d4f6b3ea39312e5f",
		"package/models/blazeface.bin":  "dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72",
		"package/models/facemesh.json":  "b60ca26f404724f43bd2b1575761d8265180e1f053cc0731caa68462927309e7",
		"package/models/facemesh.bin":   "3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b",
		"package/LICENSE":               "",
	}},
	{"@vladmandic/face-api", "1.7.15", npm, map[string]string{
		"package/model/face_recognition_model-weights_manifest.json": "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
		"package/model/face_recognition_model.bin":                   "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
		"package/LICENSE": "",
	}},
}

// fonts are copied from the Debian packages fonts-ocr-b and fonts-dejavu-core for the specimen
// generator, so that it draws the same page wherever the models directory is. Of the cuts of OCR-B it is the
// one with sharp corners: the others need an operator that Go's font reader does not know.
var fonts = []string{
	"/usr/share/fonts/opentype/ocr-b/OCRBS.otf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf",
}
