package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
)

// Where the head is in scikit-image's astronaut.png (512×512, a NASA portrait in the public domain),
// in the 35:45 proportions of a passport photograph.
var head = image.Rect(143, 2, 311, 218)

const portraitWidth, portraitHeight = 560, 720

// portrait cuts the head out of the photograph at src and stores it at dst as JPEG.
func portrait(src, dst string) error {
	f, err := os.Open(src)
	if err != nil {
		return err
	}
	defer f.Close()
	photo, err := png.Decode(f)
	if err != nil {
		return fmt.Errorf("cutting the portrait: %w", err)
	}
	out := image.NewRGBA(image.Rect(0, 0, portraitWidth, portraitHeight))
	draw.CatmullRom.Scale(out, out.Bounds(), photo, head, draw.Src, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, out, &jpeg.Options{Quality: 93}); err != nil {
		return fmt.Errorf("cutting the portrait: %w", err)
	}
	_, err = write(dst, &b)
	return err
}

// faceVideo films the photograph at src with a slow pan: 5 s of 1080p H.264 at 30 frames a second. It
// shows one flat picture and is therefore, by construction, a replay attack.
func faceVideo(src, dst string) error {
	const pan = "crop=448:252:6:0,scale=2112:1188:flags=bicubic," +
		"crop=1920:1080:x='96+80*sin(2*PI*t/3)':y='54+40*sin(2*PI*t/2)'"
	err := command(filepath.Dir(dst), "ffmpeg", "-nostdin", "-v", "error", "-y", "-loop", "1", "-framerate", "30",
		"-i", src, "-vf", pan, "-t", "5", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20",
		"-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact", dst)
	if err != nil {
		return errors.Join(err, os.Remove(dst))
	}
	return nil
}
