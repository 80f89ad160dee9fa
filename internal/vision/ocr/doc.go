// Package ocr finds lines of text on a picture and reads them.
//
// [Detector] is PP-OCRv6 detection: a network colours the pixels of text, and each
// connected stain becomes the smallest rectangle around it, grown to take in the whole
// strokes. [Reader] is PP-OCRv6 recognition with its alphabet cut to Latin. [MRZReader]
// is the project's own small network for OCR-B. Both readers end in a layer that says
// for each eighth (or quarter) of the line's height which character stands there or
// none (CTC); [Greedy] makes text of that, and package zone searches it under the rules
// of a machine-readable zone.
//
// Lines are read one by one and unpadded: batches cost more and change what is read.
package ocr
