// Package barcode reads the PDF417 symbol on a picture of a document.
//
// The reading is ZXing-C++ 1.4.0 through a small C shim (shim.cc). ZXing reads rows of
// modules that lie within a few degrees of level and are about two to six pixels wide,
// so [Read] offers the picture at several sizes and, if need be, turns. Finding and
// straightening bars at any angle comes later.
package barcode
