package face

import "math"

// Operating point of the comparison of two faces, in Euclidean distance of embeddings. Chosen on one half of the
// identities of the test material (those whose key's FNV-1a hash is even), where SameBelow lets 1 % of the pairs of
// different persons through, and checked on the other half (0 % of different, 1.4 % of same persons wrong);
// match_test.go repeats both.
// That material pairs photographs with photographs: for the portrait of a document against a selfie nothing has
// been measured yet, which is why there is a band between the two thresholds that decides nothing.
const (
	SameBelow      = 0.51
	DifferentAbove = 0.62
)

// OperatingPoint names the point in findings.
const OperatingPoint = "FMR 1 % on photographs"

// Logistic calibration of a distance, fitted on the even half with equal weight for same and different persons.
const (
	calibrationMid   = 0.4901
	calibrationSlope = 30.2
)

// Probability returns how likely two pictures at this distance show the same person, if both answers were equally
// likely before.
func Probability(distance float64) float64 {
	return 1 / (1 + math.Exp(calibrationSlope*(distance-calibrationMid)))
}
