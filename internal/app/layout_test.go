package app

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/bonafide-id/bonafide/"

type pkg struct {
	ImportPath string
	Imports    []string
}

// packages lists the packages of the module by their path within it.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all, dec := map[string]pkg{}, json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

func under(path string, dirs ...string) bool {
	for _, d := range dirs {
		if path == d || strings.HasPrefix(path, d+"/") {
			return true
		}
	}
	return false
}

// The layout of docs/architecture.md: who may import whom.
func TestLayout(t *testing.T) {
	for path, p := range packages(t) {
		for _, imp := range p.Imports {
			if why := forbidden(path, imp); why != "" {
				t.Errorf("%s imports %s: %s", path, imp, why)
			}
		}
	}
}

func forbidden(path, imp string) string {
	inner, ours := strings.CutPrefix(imp, module)
	switch {
	case strings.HasPrefix(imp, "github.com/cockroachdb/pebble") && !under(path, "internal/log/embedded"):
		return "only log/embedded knows Pebble"
	case strings.HasPrefix(imp, "github.com/yalue/onnxruntime_go") && !under(path, "internal/onnx"):
		return "only onnx knows ONNX Runtime"
	case strings.HasPrefix(imp, "github.com/twmb/franz-go") && !under(path, "internal/log/kafka"):
		return "only log/kafka knows the Kafka client"
	case !ours:
		return ""
	case under(path, "internal/vision", "internal/onnx", "internal/models", "gen", "internal/topic", "internal/check", "internal/log", "internal/seal", "internal/blob", "internal/resilience",
		"internal/access", "internal/cursor", "internal/frame", "internal/specimen") && under(inner, "internal/service", "internal/app", "internal/stream"):
		return "libraries know no service"
	case under(path, "internal/stream", "internal/index", "internal/opened", "internal/httpapi") && under(inner, "internal/service", "internal/app"):
		return "what services stand on knows none of them"
	case under(path, "internal/vision", "internal/onnx") && under(inner, "internal/log", "internal/seal", "internal/blob", "internal/httpapi", "internal/topic"):
		return "vision is pure functions on pixels"
	case under(path, "internal/service") && under(inner, "internal/service") && !under(inner, strings.Join(strings.SplitN(path, "/", 4)[:3], "/")):
		return "services meet in the log and never import one another"
	case under(path, "internal/service") && under(inner, "internal/log/embedded", "internal/log/kafka"):
		return "services know the log's interface, not which log it is"
	case under(inner, "internal/app") && !under(path, "cmd", "internal/app"):
		return "only cmd imports app"
	case under(path, "examples") && under(inner, "internal"):
		return "examples use what is public"
	}
	return ""
}

// The rules must be able to fail.
func TestLayoutRulesBite(t *testing.T) {
	for _, c := range [][2]string{
		{"internal/service/text", "github.com/cockroachdb/pebble/v2"},
		{"internal/service/text", module + "internal/service/face"},
		{"internal/service/text", module + "internal/log/embedded"},
		{"internal/vision/ocr", module + "internal/service/text"},
		{"internal/vision/ocr", "github.com/yalue/onnxruntime_go"},
		{"internal/service/text", module + "internal/app"},
		{"internal/seal", module + "internal/stream"},
		{"internal/opened", module + "internal/service/ingest"},
		{"internal/vision/ocr", module + "internal/blob"},
		{"examples/bettingshop", module + "internal/frame"},
	} {
		if forbidden(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"internal/service/text", module + "internal/vision/ocr"},
		{"internal/service/text/inner", module + "internal/service/text"},
		{"internal/log/embedded", "github.com/cockroachdb/pebble/v2/vfs"},
		{"cmd/bonafide", module + "internal/app"},
	} {
		if why := forbidden(c[0], c[1]); why != "" {
			t.Errorf("%s may not import %s: %s", c[0], c[1], why)
		}
	}
}
