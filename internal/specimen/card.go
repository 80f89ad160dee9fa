package specimen

import "image/color"

// The driving licence is ID-1 in the British manner: numbered fields and no machine-readable zone.
var cardLayout = layout{
	width: 85.6, height: 53.98, corner: 3.18,
	portrait: box{4, 14.5, 21, 27}, ghost: box{70.5, 27.5, 11, 14},
	caption: 1.25, value: 1.72, values: sans,
	entries: cardEntries,
	art:     cardArt,
}

// The fields keep the numbers that the European Union gave them: 1 and 2 names, 3 birth, 4a issue, 4b expiry,
// 4c authority, 5 number, 8 address, 9 categories.
func cardEntries(p person) []entry {
	const left, row = 29.0, 3.75
	at := func(x float64, k int, field, caption, value, truth string) entry {
		y := 16.4 + row*float64(k)
		return entry{field: field, caption: caption, cx: x, cy: y, x: x + 3.6, y: y, value: value, truth: truth}
	}
	number := p.driverNumber()
	categories := "AM/A1/B/BE/f/k/p/q"
	return []entry{
		at(left, 0, "surname", "1.", p.surname, p.surname),
		at(left, 1, "given_names", "2.", p.given, p.given),
		at(left, 2, "birth_date", "3.", cardDate(p.birth)+"  UTOPIA", iso(p.birth)),
		at(left, 3, "issue_date", "4a.", cardDate(p.issued), iso(p.issued)),
		at(52, 3, "issuer", "4c.", "UDLA", "UDLA"),
		at(left, 4, "expiry_date", "4b.", cardDate(p.expires), iso(p.expires)),
		at(left, 5, "document_number", "5.", number+"  "+p.issueMark, number),
		at(left, 8, "address", "8.", p.address, p.address),
		{field: "licence_categories", caption: "9.", cx: left, cy: 50.4, x: left + 3.6, y: 50.4, value: categories, truth: categories},
	}
}

func cardArt(c *canvas, d *document) {
	purple, blue := color.RGBA{110, 40, 110, 255}, color.RGBA{34, 62, 140, 255}
	c.fill(box{4, 3.4, 9.5, 7}, blue)
	c.text(label{x: 5.1, y: 9.2, size: 1.7, face: bold, ink: color.RGBA{250, 250, 250, 255}}, stateCode)
	c.emblem(8.75, 5.5, 1.5, color.RGBA{248, 214, 80, 255})
	c.text(label{x: 16, y: 7.4, size: 2.9, face: bold, ink: purple}, "DRIVING LICENCE")
	c.text(label{x: 16, y: 10.6, size: 1.5, face: sans, ink: purple}, "UTOPIA")
	c.text(label{x: 68, y: 10.6, size: 1.5, face: sans, ink: purple}, "SPECIMEN")
	c.text(label{x: 29, y: 40.6, size: 1.25, face: sans, ink: inkCaption}, "7.")
	c.signature(d, box{33, 36.8, 22, 4.4})
}
