package face

import (
	"bufio"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "golang.org/x/image/webp"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const data = "../../../../shared/data"

// kit is every network of the package.
type kit struct {
	find  *Detector
	mesh  *Mesher
	embed *Embedder
}

func open(t testing.TB) kit {
	t.Helper()
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	var k kit
	for _, err := range []error{
		assign(&k.find, NewDetector, set), assign(&k.mesh, NewMesher, set), assign(&k.embed, NewEmbedder, set),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func assign[T any](to *T, open func(*models.Set) (T, error), set *models.Set) (err error) {
	*to, err = open(set)
	return err
}

func picture(t testing.TB, path string) *pix.RGB {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if filepath.Ext(path) == ".pgm" {
		return pgm(t, f)
	}
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return pix.FromImage(m)
}

// pgm reads a binary portable greymap, the format of the AT&T database; some of its headers hold a comment.
func pgm(t testing.TB, r io.Reader) *pix.RGB {
	t.Helper()
	b := bufio.NewReader(r)
	var head []int
	for len(head) < 3 {
		line, err := b.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.Fields(line) {
			if n, err := strconv.Atoi(word); err == nil {
				head = append(head, n)
			}
		}
	}
	g := pix.NewGray(head[0], head[1])
	if _, err := io.ReadFull(b, g.Pix); err != nil {
		t.Fatal(err)
	}
	return g.RGB()
}
