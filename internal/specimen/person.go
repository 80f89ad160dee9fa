package specimen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Names from many languages of Europe, with the letters that readers find hard. No real person is meant.
var (
	surnames = []string{
		"Müller", "Øvergård", "Żukowski", "Nuñez Ibarra", "Dvořáková", "O'Rourke", "Lefèvre", "Ștefănescu",
		"Kovačević", "Çelik", "Jørgensen", "Papadakis", "Szőke", "Gonçalves", "Ångström", "Bērziņš", "Eriksson",
		"De la Croix", "Hämäläinen", "Thompson", "Morgan", "Kaczyński", "Vâlcan", "Weiß-Lindner", "Rossi",
	}
	givenF = []string{
		"Zoë", "Élodie", "Małgorzata", "Ingrid", "Siân", "Anna", "Jördis", "Inês", "Katalin", "Ieva", "Åsa",
		"Ružica", "Maria", "Françoise", "Sarah", "Eszter", "Îrina", "Noémi",
	}
	givenM = []string{
		"Jörg", "Łukasz", "Åke", "José", "Søren", "François", "Ștefan", "Čedomir", "Gáspár", "Jānis", "Matthew",
		"Nuno", "Øyvind", "Eoin", "Andreas", "Tomáš", "Hüseyin", "Owen",
	}
	places  = []string{"Amaurot", "Port Anyder", "Nova Lutetia", "Abraxa", "Saint-Hythloday"}
	streets = []string{"Harbour Street", "Tranibor Row", "Orchard Lane", "Bridge Road", "Market Place"}
)

const (
	stateCode = "UTO"
	digits    = "0123456789"
	letters   = "ABCDEFGHJKLMNPRSTUVWXYZ" // numbers of documents avoid I, O and Q
)

// person is the holder and what the state wrote about him or her. Names are as printed, in capitals.
type person struct {
	surname, given          string
	sex                     string // F or M
	birth, issued, expires  time.Time
	place, address          string
	number, personal        string // of the passport
	driverSuffix, issueMark string // free characters of the driver number
}

// newPerson invents a grown-up whose document was issued one to eight years ago for ten years.
func newPerson(o Options) person {
	r := random(o.Seed, streamPerson)
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	p := person{sex: []string{"F", "M"}[r.IntN(2)]}
	switch {
	case o.Sex != "":
		p.sex = o.Sex
	case o.Portrait == nil && o.Material.Holder != nil:
		p.sex = o.Material.HolderSex
	}
	p.surname = capitals(pick(surnames))
	first := givenF
	if p.sex == "M" {
		first = givenM
	}
	one, two := r.IntN(len(first)), r.IntN(len(first))
	p.given = capitals(first[one])
	if two != one && two%3 != 0 {
		p.given += " " + capitals(first[two])
	}
	today := o.Now.UTC().Truncate(24 * time.Hour)
	p.birth = today.AddDate(-27-r.IntN(35), 0, -r.IntN(365))
	p.issued = today.AddDate(-1-r.IntN(7), 0, -r.IntN(365))
	p.expires = p.issued.AddDate(10, 0, -1)
	p.place = capitals(pick(places))
	p.address = fmt.Sprintf("%d %s, %s", 1+r.IntN(140), strings.ToUpper(pick(streets)), capitals(pick(places)))
	p.number = chosen(r, 2, letters) + chosen(r, 7, digits)
	p.personal = chosen(r, 6, digits) + chosen(r, 2, letters)
	p.driverSuffix, p.issueMark = chosen(r, 2, letters), chosen(r, 2, digits)
	return p
}

func chosen(r *rand.Rand, n int, from string) string {
	b := make([]byte, n)
	for k := range b {
		b[k] = from[r.IntN(len(from))]
	}
	return string(b)
}

// capitals writes a name as documents print it; the capital of ß is SS there.
func capitals(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "ß", "ss")) }
