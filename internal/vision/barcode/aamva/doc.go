// Package aamva parses the payload of the PDF417 symbol on North American driving
// licences and identity cards, as the AAMVA DL/ID Card Design Standard lays it out: a
// header with the issuer's number (IIN) and the version (1 for 2000 to 11 for 2025),
// a directory of subfiles, and elements of a three-letter code and a value, one a line.
//
// Issuers and scanners are free with it: separators are lost or doubled, directories
// point nowhere, byte-order marks lead. [Parse] therefore goes by the header's mark and
// the codes of elements, and leaves it to [Card.Header], [Card.Missing] and
// [Card.DateFaults] to say how far a payload keeps to the standard.
package aamva
