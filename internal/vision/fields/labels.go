package fields

import (
	"slices"
	"strings"
)

// label is a printed name of a field, folded.
type label struct{ field, words string }

// labelTable names fields as documents print them, folded, a bar between names: English
// and the languages of Europe that are written in Latin letters.
var labelTable = [...][2]string{
	{Surname, "SURNAME|NOM|NAME|NACHNAME|FAMILIENNAME|APELLIDOS|PRIMER APELLIDO|COGNOME|APELIDO|APELIDOS|NAZWISKO|PRIJMENI|PRIEZVISKO|PREZIME|PRIIMEK|NUME|" +
		"CSALADI NEV|EFTERNAVN|EFTERNAMN|ETTERNAVN|SUKUNIMI|PEREKONNANIMI|UZVARDS|PAVARDE|SOYADI|MBIEMRI|ACHTERNAAM|NAAM|PRIMARY IDENTIFIER|" +
		"IDENTIFIANT PRIMAIRE|FAMILY NAME|LAST NAME|SLOINNE|KUNYOMB|CYFENW"},
	{Given, "GIVEN NAMES|GIVEN NAME|PRENOM|PRENOMS|VORNAME|VORNAMEN|NOMBRE|NOMBRES|NOME|NOMES PROPRIOS|IMIE|IMIONA|JMENO|MENO|IME|PRENUME|UTONEV|FORNAVN|" +
		"FORNAMN|ETUNIMET|EESNIMED|EESNIMI|VARDS|VARDI|VARDAS|ADI|EMRI|VOORNAMEN|SECONDARY IDENTIFIER|IDENTIFIANT SECONDAIRE|FIRST NAME|FIRST NAMES|FORENAMES|OTHER NAMES"},
	{Birth, "DATE OF BIRTH|DATE DE NAISSANCE|GEBURTSDATUM|GEBURTSTAG|FECHA DE NACIMIENTO|DATA DI NASCITA|DATA DE NASCIMENTO|DATA URODZENIA|DATUM NAROZENI|" +
		"DATUM NARODENIA|DATUM RODENJA|DATUM ROJSTVA|DATA NASTERII|SZULETESI IDO|SZULETESI DATUM|FODSELSDATO|FODELSEDATUM|SYNTYMAAIKA|SUNNIAEG|SUNNIKUUPAEV|" +
		"DZIMSANAS DATUMS|GIMIMO DATA|DOGUM TARIHI|DATELINDJA|GEBOORTEDATUM|DOB|BIRTH DATE|GEB DATUM|BORN"},
	{Expiry, "DATE OF EXPIRY|DATE D EXPIRATION|DATE D EXPIRY|GULTIG BIS|FECHA DE CADUCIDAD|VALIDO HASTA|DATA DI SCADENZA|SCADENZA|DATA DE VALIDADE|VALIDADE|" +
		"DATA WAZNOSCI|TERMIN WAZNOSCI|PLATNOST DO|VRIJEDI DO|VAZI DO|VELJA DO|DATA EXPIRARII|ERVENYESSEGI IDO|UDLOBSDATO|GILTIGT TILL|GYLDIG TIL|KEHTIV KUNI|" +
		"DERIGS LIDZ|GALIOJA IKI|GECERLILIK TARIHI|GELDIG TOT|VALID UNTIL|VALID TO|EXPIRES|EXP|EXPIRY DATE|EXPIRATION DATE|VALABLE JUSQU AU|VALIDE JUSQU AU|VALIDADE DO DOCUMENTO"},
	{Issue, "DATE OF ISSUE|DATE DE DELIVRANCE|AUSSTELLUNGSDATUM|DATUM DER AUSSTELLUNG|FECHA DE EXPEDICION|DATA DI RILASCIO|DATA DE EMISSAO|DATA WYDANIA|DATUM VYDANI|DATUM VYDANIA|" +
		"DATUM IZDAVANJA|DATUM IZDAJE|DATA EMITERII|KIALLITAS DATUMA|UDSTEDELSESDATO|UTFARDANDEDATUM|MYONTAMISPAIVA|VALJAANDMISE KUUPAEV|IZDOSANAS DATUMS|" +
		"ISDAVIMO DATA|DATUM VAN AFGIFTE|ISS|ISSUE DATE|DATE ISSUED|VERILIS TARIHI|DATE DE DELIVERANCE"},
	{Number, "PASSPORT NO|PASSEPORT NO|DOCUMENT NO|CARD NO|LICENCE NO|LICENSE NO|LIC|DL NO|REISEPASS NR|PASS NR|AUSWEISNUMMER|NUMERO DE DOCUMENT|NUM DOCUMENTO|" +
		"CISLO PASU|NUMER PASZPORTU|IDENTITY CARD NO|DOCUMENT NUMBER|PASSPORT NUMBER|DOCUMENTNUMMER|NO DU DOCUMENT|NO DU PASSEPORT|NUMERO DE PASSEPORT|CARD NUMBER|N DE PASSEPORT"},
	{Sex, "SEX|SEXE|GESCHLECHT|SEXO|SESSO|PLEC|POHLAVI|POHLAVIE|SPOL|NEM|KON|KJONN|SUKUPUOLI|SUGU|DZIMUMS|LYTIS|CINSIYETI|GESLACHT|GJINIA"},
	{Nationality, "NATIONALITY|NATIONALITE|STAATSANGEHORIGKEIT|NACIONALIDAD|CITTADINANZA|NACIONALIDADE|OBYWATELSTWO|STATNI OBCANSTVI|STATNA PRISLUSNOST|OBCIANSTVO|" +
		"DRZAVLJANSTVO|CETATENIA|ALLAMPOLGARSAG|NATIONALITEIT|KANSALAISUUS|KODAKONDSUS|PILSONIBA|PILIETYBE|UYRUGU|MEDBORGARSKAP|STATSBORGERSKAB|STATSBORGERSKAP|SHTETESIA"},
	{Issuer, "AUTHORITY|AUTORITE|BEHORDE|AUTORIDAD|ISSUED BY|ISSUING AUTHORITY|ORGAN WYDAJACY|AUTORITA|AUTORIDADE|AUTORITEIT|MYNDIGHED|MYNDIGHET|VIRANOMAINEN|ORGAN|PAS VYDAL|VYDAL"},
	{BirthPlace, "PLACE OF BIRTH|LIEU DE NAISSANCE|GEBURTSORT|LUGAR DE NACIMIENTO|LUOGO DI NASCITA|LOCAL DE NASCIMENTO|MIEJSCE URODZENIA|MISTO NAROZENI|MESTO NAROZENI|MIESTO NARODENIA|" +
		"MJESTO RODENJA|KRAJ ROJSTVA|LOCUL NASTERII|SZULETESI HELY|FODESTED|FODELSEORT|SYNTYMAPAIKKA|SUNNIKOHT|DZIMSANAS VIETA|GIMIMO VIETA|DOGUM YERI|GEBOORTEPLAATS"},
	{Address, "ADDRESS|ADRESSE|DOMICILIO|INDIRIZZO|ADRES|MORADA|RESIDENCE|ADRESA|WOONPLAATS|ANSCHRIFT"},
	{Personal, "PERSONAL NO|PERSONAL NUMBER|RODNE CISLO|PESEL|ISIKUKOOD|PERSONAS KODS|ASMENS KODAS|NO PERSONNEL|NUMERO PERSONNEL|PERSONNUMMER|OIB|EMSO|JMBG|CNP|CODICE FISCALE|BSN"},
}

// labels lists every label, longer ones first within a field's row as written.
func labels() []label {
	var out []label
	for _, row := range labelTable {
		for _, w := range strings.Split(row[1], "|") {
			out = append(out, label{row[0], w})
		}
	}
	return out
}

// hit is a label found in a line: the field, and the runes of the line that it takes.
type hit struct {
	field    string
	from, to int
}

// findLabels returns the labels in a line, at most one of each field, from left to
// right. Labels of eight letters and more may differ by one letter in eight: they are
// the smallest print on a document.
func findLabels(text string, table []label) []hit {
	words, at := wordsOf(text)
	var out []hit
	taken := map[string]bool{}
	for _, l := range table {
		if taken[l.field] {
			continue
		}
		if i, n, ok := locate(words, strings.Fields(l.words)); ok {
			taken[l.field] = true
			out = append(out, hit{l.field, at[i].from, at[i+n-1].to})
		}
	}
	slices.SortFunc(out, func(a, b hit) int { return a.from - b.from })
	return dropInner(out)
}

// dropInner removes labels that lie inside a longer one: NAME in GIVEN NAME.
func dropInner(hits []hit) []hit {
	var out []hit
	for i, h := range hits {
		inner := false
		for j, o := range hits {
			inner = inner || i != j && o.from <= h.from && h.to <= o.to && o.to-o.from > h.to-h.from
		}
		if !inner {
			out = append(out, h)
		}
	}
	return out
}

type runes struct{ from, to int }

// wordsOf cuts a text into folded words with their places in runes.
func wordsOf(text string) ([]string, []runes) {
	var words []string
	var at []runes
	open := false
	for i, r := range []rune(text) {
		f := Fold(string(r))
		if f == "" {
			open = false
			continue
		}
		if !open {
			words, at = append(words, ""), append(at, runes{i, i})
			open = true
		}
		words[len(words)-1] += f
		at[len(at)-1].to = i + 1
	}
	return words, at
}

// locate finds a phrase among words.
func locate(words, phrase []string) (at, n int, ok bool) {
	want := strings.Join(phrase, " ")
	for i := 0; i+len(phrase) <= len(words); i++ {
		got := strings.Join(words[i:i+len(phrase)], " ")
		if got == want || len(want) >= 8 && abs(len(got)-len(want)) <= len(want)/8 && distance(got, want) <= len(want)/8 {
			return i, len(phrase), true
		}
	}
	return 0, 0, false
}

func abs(n int) int { return max(n, -n) }
