// Package picture tells uploaded files apart and decodes the still pictures among them.
//
// Everything uploaded is hostile, so the work is in three steps, each of which sees more of the
// file and trusts it more:
//
//  1. [Sniff] looks at the first bytes only. A name or a declared media type is never believed: an
//     SVG called .jpg is an SVG.
//  2. [Header] reads sizes without decoding a pixel, so that a picture of 30,000 × 30,000 is refused
//     for the price of its header.
//  3. [Decode] makes pixels. JPEG goes through libjpeg-turbo, which can decode at a half, a quarter or
//     an eighth of the size for a fraction of the time: what a 12-megapixel photograph of a document
//     needs later is about 2,000 pixels a side.
//
// What is wrong with a file is said by an [Error] with a code for programs and a sentence for people.
package picture

import (
	"errors"
	"fmt"
)

// Code says what is wrong with a file, in the words of the outward contract.
type Code string

// The codes of this package.
const (
	Empty         Code = "empty_media"       // no bytes
	Unsupported   Code = "unsupported_media" // a format, or a variant of one, that is not read
	Damaged       Code = "damaged_media"     // a known format whose data is broken or cut short
	TooManyPixels Code = "too_many_pixels"   // over Limits
	TooFewPixels  Code = "too_few_pixels"    // under Limits
)

// Error is a refusal of a file.
type Error struct {
	Code   Code
	Detail string // for people; holds nothing from inside the file but numbers
	Err    error  // the cause, or nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Detail, e.Err)
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of a refusal, and "" for an error that is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func refuse(code Code, format string, args ...any) error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func damaged(err error, format string, args ...any) error {
	return &Error{Code: Damaged, Detail: fmt.Sprintf(format, args...), Err: err}
}

// Limits bound what is decoded; a zero field takes its default.
type Limits struct {
	MaxPixels int   // width × height; default 50 million
	MaxSide   int   // default 12,000
	MinSide   int   // default 32: smaller than any text or face can be
	MaxBytes  int64 // that decoding takes at its height, Info.Bytes; default 400 million, which no picture of 8 bits a channel reaches
	MaxFrames int   // of an animated GIF, whose frames together may have four times MaxPixels; default 500
}

const mostBytes = 400_000_000

func (l Limits) defaults() Limits {
	if l.MaxPixels == 0 {
		l.MaxPixels = 50_000_000
	}
	if l.MaxSide == 0 {
		l.MaxSide = 12_000
	}
	if l.MinSide == 0 {
		l.MinSide = 32
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = mostBytes
	}
	if l.MaxFrames == 0 {
		l.MaxFrames = 500
	}
	return l
}

func (l Limits) check(w, h int) error {
	switch {
	case w <= 0 || h <= 0:
		return refuse(Damaged, "the header says %d×%d pixels", w, h)
	case w > l.MaxSide || h > l.MaxSide || w > l.MaxPixels/h:
		return refuse(TooManyPixels, "%d×%d pixels is more than %d million, or than %d a side", w, h, l.MaxPixels/1_000_000, l.MaxSide)
	case w < l.MinSide || h < l.MinSide:
		return refuse(TooFewPixels, "%d×%d pixels is less than %d a side", w, h, l.MinSide)
	}
	return nil
}

// checkBytes refuses what few pixels of many bits make costly.
func (l Limits) checkBytes(i Info) error {
	if i.Bytes > l.MaxBytes {
		return refuse(TooManyPixels, "%d×%d pixels stored like this take more than %d MB to decode", i.W, i.H, l.MaxBytes/1_000_000)
	}
	return nil
}
