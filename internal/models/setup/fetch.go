package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pip fetches one wheel. The target is spelled out so that every machine gets the same file,
// whatever Python it has; only the native library inside is used.
func pip(dir, name, version string) error {
	return command(dir, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version=3.11",
		"--platform=manylinux_2_28_x86_64", name+"=="+version)
}

func npm(dir, name, version string) error {
	return command(dir, "npm", "pack", "--silent", name+"@"+version)
}

func command(dir, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// get fetches the package into a folder of its own below dir, unpacks the wanted files beside it,
// checks them, deletes the archive and returns the folder.
func (s source) get(dir string) (string, error) {
	into := filepath.Join(dir, strings.ReplaceAll(s.name, "/", "-"))
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	if err := s.fetch(into, s.name, s.version); err != nil {
		return "", fmt.Errorf("fetching %s %s: %w", s.name, s.version, err)
	}
	archives, err := filepath.Glob(filepath.Join(into, "*.*"))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("fetching %s %s: %d archives came, one expected", s.name, s.version, len(archives))
	}
	if err := s.unpack(archives[0], into); err != nil {
		return "", fmt.Errorf("unpacking %s %s: %w", s.name, s.version, err)
	}
	return into, os.Remove(archives[0])
}

func (s source) unpack(archive, into string) error {
	found := 0
	err := members(archive, func(name string, r io.Reader) error {
		want, ok := s.files[name]
		if !ok {
			return nil
		}
		found++
		got, err := write(filepath.Join(into, filepath.FromSlash(name)), r)
		if err == nil && want != "" && got != want {
			err = fmt.Errorf("%s has SHA-256 %s, not %s: the package was changed", name, got, want)
		}
		return err
	})
	if err == nil && found != len(s.files) {
		err = fmt.Errorf("%d of %d files are in it", found, len(s.files))
	}
	return err
}

// members calls visit for every file of a .whl or .tgz.
func members(archive string, visit func(name string, r io.Reader) error) error {
	if strings.HasSuffix(archive, ".tgz") {
		return tarMembers(archive, visit)
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return err
		}
		if err := errors.Join(visit(f.Name, r), r.Close()); err != nil {
			return err
		}
	}
	return nil
}

func tarMembers(archive string, visit func(name string, r io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(h.Name, t); err != nil {
			return err
		}
	}
}

// write stores r at path, making its folders, and returns the SHA-256 of what it stored.
func write(path string, r io.Reader) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}
