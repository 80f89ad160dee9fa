package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Nothing that was in the request or on the document stands in clear anywhere in the data directory, in names of files, or in the logs.
func TestNothingPersonalInClear(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "data")
	c := program(t, ctx, dir)
	web := webOf(t, c)
	request := `{"declared": {"surname": "Quetzalcoatlus", "given_names": "Zephyrine", "birth_date": "1971-03-29", "document_number": "ZX90817263"},
		"reference": "order-of-somebody-secret", "minimum_age": 18}`
	p := pictures{Document: smallDocument(t), Selfie: replay(t)}
	r, _, err := web.submit(ctx, p, []byte(request))
	if err != nil {
		t.Fatal(err)
	}
	secrets := append(said(t, ctx, web, r.Verification), "Quetzalcoatlus", "Zephyrine", "1971-03-29", "ZX90817263", "order-of-somebody-secret", web.key)
	if len(secrets) < 12 {
		t.Fatalf("the pipeline read only %q: nothing to search for", secrets)
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	for _, f := range search(t, secrets, dir, dir+".log") {
		t.Error(f)
	}
}

// said collects what the pipeline read off the document.
func said(t *testing.T, ctx context.Context, web *client, id string) []string {
	t.Helper()
	var out []string
	err := web.events(ctx, id, func(line []byte) error {
		var f struct {
			Finding struct {
				Value struct{ Text, Date string } `json:"value"`
			} `json:"finding"`
		}
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		for _, v := range append(strings.Split(f.Finding.Value.Text, "\n"), f.Finding.Value.Date) {
			if len(v) >= 6 { // shorter ones, such as a state's code, occur by chance
				out = append(out, v)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// search looks for the secrets, as they are and in other case, in every file and every name below the places.
func search(t *testing.T, secrets []string, places ...string) []string {
	t.Helper()
	var found []string
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if filepath.Base(path) == "demo.key" {
				return nil // it is there on purpose, readable by its owner alone
			}
			hay := bytes.ToLower(append(data, path...))
			for _, s := range secrets {
				if bytes.Contains(hay, bytes.ToLower([]byte(s))) {
					found = append(found, path+" holds "+s)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// The search must be able to find.
func TestSearchFinds(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.log"), []byte("something about ERIKSSON here"), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(search(t, []string{"Eriksson"}, dir)) != 1 {
		t.Error("a name in clear was not found")
	}
}
