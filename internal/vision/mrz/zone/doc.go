// Package zone finds the machine-readable zone on a page and reads it.
//
// Reading is a search, not a look-up. A line reader says for each step along a line how
// likely each character is. [align] finds the likeliest way to lay exactly the number
// of characters of a format over those steps, each of a kind that may stand there, and
// leaves a distribution over characters for each position. Several looks at a line (two
// readers, two crops) are multiplied position by position. Then the likeliest
// characters are taken under the check digits: a digit that does not hold is accepted
// as printed only where making it hold would cost more than a misprint is worth
// (failCost), so that a reading error is corrected and a forged digit is reported.
package zone
