package specimen

import "image/color"

// The passport's data page is Doc 9303's TD3: the machine-readable zone is the lowest 23.2 mm.
var passportLayout = layout{
	width: 125, height: 88, corner: 3,
	portrait: box{6, 17, 33, 42.4}, ghost: box{103, 33.5, 15, 19},
	caption: 1.15, value: 2.05, values: bold,
	entries: passportEntries,
	art:     passportArt,
}

// The baselines of the two lines and the left edge of their first character; characters are 2.54 mm apart.
const (
	mrzFirst, mrzSecond = 74.4, 80.75
	mrzLeft, mrzPitch   = 6.7, 2.54
	mrzCapital          = 2.4 // OCR-B size I
)

func passportEntries(p person) []entry {
	const left, row = 43.0, 6.15
	at := func(x float64, k int, field, caption, value, truth string) entry {
		y := 20.2 + row*float64(k)
		return entry{field: field, caption: caption, cx: x, cy: y - 3, x: x, y: y, value: value, truth: truth}
	}
	return []entry{
		at(left, 0, "", "Type / Type", "P", ""),
		at(57, 0, "issuer", "Code / Code", stateCode, stateCode),
		at(82, 0, "document_number", "Passport No. / Passeport n°", p.number, p.number),
		at(left, 1, "surname", "Surname / Nom", p.surname, p.surname),
		at(left, 2, "given_names", "Given names / Prénoms", p.given, p.given),
		at(left, 3, "nationality", "Nationality / Nationalité", "UTOPIAN", stateCode),
		at(82, 3, "personal_number", "Personal No. / N° personnel", p.personal, p.personal),
		at(left, 4, "birth_date", "Date of birth / Date de naissance", passportDate(p.birth), iso(p.birth)),
		at(82, 4, "sex", "Sex / Sexe", p.sex, p.sex),
		at(left, 5, "birth_place", "Place of birth / Lieu de naissance", p.place, p.place),
		at(left, 6, "issue_date", "Date of issue / Date de délivrance", passportDate(p.issued), iso(p.issued)),
		at(82, 6, "", "Authority / Autorité", "MINISTRY OF UTOPIA", ""),
		at(left, 7, "expiry_date", "Date of expiry / Date d'expiration", passportDate(p.expires), iso(p.expires)),
	}
}

func passportArt(c *canvas, d *document) {
	navy := color.RGBA{32, 48, 104, 255}
	end := c.text(label{x: 6, y: 8.6, size: 3.4, face: serifBold, ink: navy}, "UTOPIA")
	c.text(label{x: end + 6, y: 8.6, size: 2.3, face: sans, ink: navy}, "PASSPORT / PASSEPORT")
	c.text(label{x: 99, y: 8.6, size: 2.1, face: sans, ink: color.RGBA{150, 70, 90, 255}}, "SPECIMEN")
	c.fill(box{6, 11, 113, 0.25}, navy)
	c.emblem(91, 6.8, 3.1, navy)
	c.signature(d, box{82, 59.2, 26, 5})
	for k, line := range d.person.mrz() {
		y := mrzFirst
		if k == 1 {
			y = mrzSecond
		}
		c.text(label{x: mrzLeft, y: y, size: mrzCapital, face: ocrB, ink: inkText, pitch: mrzPitch}, line)
	}
}
