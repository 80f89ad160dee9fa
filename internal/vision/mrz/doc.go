// Package mrz knows the machine-readable zone of travel documents: the lines of
// capitals, digits and fillers (<) that ICAO Doc 9303 prints in OCR-B at the edge
// of passports, visas and identity cards.
//
// It is pure text: [Parse] takes lines as they stand and splits them into fields
// and check digits; [Repair] first puts right what readers confuse, such as a
// letter O in a date. A [Format] is a table of positions, so that the parser, the
// repair and the constrained reader of package zone share one description.
//
// Formats: TD1, TD2, TD3, MRVA and MRVB (Doc 9303 parts 4 to 7), the French
// identity card before 2021, the one-line European driving licence (ISO/IEC
// 18013-2 annex) and the Swiss driving licence.
package mrz
