package fields

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Order is how a country writes numeric dates.
type Order int

// The orders.
const (
	DayFirst Order = iota
	MonthFirst
)

// Calendar parses printed dates.
type Calendar struct {
	Order Order
	Now   time.Time
}

var (
	dayMonthYear = regexp.MustCompile(`(\d{1,2})\s?[./\- ]\s?(\d{1,2})\s?[./\- ]\s?(\d{4}|\d{2})(?:\D|$)`)
	yearMonthDay = regexp.MustCompile(`(\d{4})\s?[./\- ]\s?(\d{1,2})\s?[./\- ]\s?(\d{1,2})(?:\D|$)`)
	dayNameYear  = regexp.MustCompile(`(\d{1,2})\s*[./\- ]?\s*((?:[A-Z]{3,12}[ ./\-]*){1,3}?)\s*(\d{4}|\d{2})(?:\D|$)`)
)

// found is a date with the bytes of the folded line it was read from.
type found struct {
	iso      string
	from, to int
}

// Dates returns the dates in a text as ISO 8601, in order. Two-digit years are taken
// for the century that lies nearest to now, with 20 years of future.
func (c Calendar) Dates(text string) []string {
	var out []string
	for _, f := range c.find(keepSigns(text)) {
		out = append(out, f.iso)
	}
	return out
}

// keepSigns folds letters but keeps what stands between the parts of a date, rune for
// rune where no letter doubles.
func keepSigns(s string) string {
	var b strings.Builder
	for _, r := range s {
		if f := Fold(string(r)); f != "" {
			b.WriteString(f)
		} else if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func (c Calendar) find(s string) []found {
	for _, way := range []func(string) []found{c.named, c.yearFirst, c.numeric} {
		if out := way(s); len(out) > 0 {
			return out
		}
	}
	return nil
}

func (c Calendar) numeric(s string) []found {
	return c.each(dayMonthYear, s, func(m []string) (d, mo, y int) {
		d, mo = number(m[1]), number(m[2])
		if c.Order == MonthFirst && d <= 12 || mo > 12 {
			d, mo = mo, d
		}
		return d, mo, c.year(m[3])
	})
}

func (c Calendar) yearFirst(s string) []found {
	return c.each(yearMonthDay, s, func(m []string) (d, mo, y int) { return number(m[3]), number(m[2]), number(m[1]) })
}

func (c Calendar) named(s string) []found {
	return c.each(dayNameYear, s, func(m []string) (d, mo, y int) { return number(m[1]), month(m[2]), c.year(m[3]) })
}

func (c Calendar) each(re *regexp.Regexp, s string, read func([]string) (d, m, y int)) []found {
	var out []found
	for from := 0; from < len(s); {
		at := re.FindStringSubmatchIndex(s[from:])
		if at == nil {
			break
		}
		var m []string
		for i := 0; i < len(at); i += 2 {
			m = append(m, s[from+at[i]:from+at[i+1]])
		}
		d, mo, y := read(m)
		if exists(d, mo, y) {
			out = append(out, found{time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), from + at[2], from + at[len(at)-1]})
			from += at[len(at)-1]
			continue
		}
		from += at[3] // past the first number
	}
	return out
}

func exists(d, m, y int) bool {
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return y >= 1850 && y < 2150 && m >= 1 && m <= 12 && d >= 1 && t.Day() == d
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

const yearsAhead = 20

func (c Calendar) year(s string) int {
	y := number(s)
	if len(s) == 4 {
		return y
	}
	y += c.Now.Year() / 100 * 100
	if y > c.Now.Year()+yearsAhead {
		y -= 100
	}
	return y
}

// month finds a month's name among words in any of the languages, whole names and usual
// abbreviations before other beginnings of names: 0 for none.
func month(s string) int {
	words := strings.FieldsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' })
	for _, like := range []func(word, name string) bool{func(w, n string) bool { return w == n }, begins} {
		for _, w := range words {
			for m, names := range months {
				if slices.ContainsFunc(strings.Fields(names), func(n string) bool { return like(w, n) }) {
					return m + 1
				}
			}
		}
	}
	return 0
}

// begins says whether one begins the other: names are cut short and declined.
func begins(word, name string) bool {
	return len(word) >= 3 && strings.HasPrefix(name, word) || len(name) >= 3 && len(word) > len(name)+1 && strings.HasPrefix(word, name)
}

// months holds names and abbreviations of months, folded: English, French, German,
// Spanish, Portuguese, Italian, Dutch, Polish, Czech, Croatian, Romanian, Hungarian,
// Swedish, Finnish, Estonian, Latvian, Lithuanian, Turkish, Albanian.
var months = [12]string{
	"JANUARY JAN JANVIER JANV JANUAR ENERO ENE JANEIRO GENNAIO GEN JANUARI STYCZEN STY LEDEN LED SIJECANJ IANUARIE IAN TAMMIKUU TAM JAANUAR JANVARIS SAUSIS SAU OCAK OCA JANAR",
	"FEBRUARY FEB FEVRIER FEV FEBRUAR FEBRERO FEVEREIRO FEBBRAIO FEBRUARI LUTY LUT UNOR UNO VELJACA FEBRUARIE HELMIKUU HEL VEEBRUAR VEEBR FEBRUARIS VASARIS VAS SUBAT SUB SHKURT",
	"MARCH MAR MARS MARZ MAERZ MRZ MARZO MARCO MAART MRT MARZEC BREZEN BRE OZUJAK MARTIE MARCIUS MAALISKUU MAA MARTS KOVAS KOV MART",
	"APRIL APR AVRIL AVR ABRIL ABR APRILE KWIECIEN KWI DUBEN DUB TRAVANJ APRILIE HUHTIKUU HUH APRILL BALANDIS BAL NISAN NIS PRILL",
	"MAY MAI MAYO MAIO MAGGIO MAG MEI MAJ KVETEN KVE SVIBANJ MAJUS TOUKOKUU TOU MAIJS GEGUZE GEG MAYIS",
	"JUNE JUN JUIN JUNI JUNIO JUNHO GIUGNO GIU CZERWIEC CZE CERVEN CER LIPANJ IUNIE IUN JUNIUS KESAKUU KES JUUNI JUNIJS BIRZELIS BIR HAZIRAN HAZ QERSHOR",
	"JULY JUL JUILLET JUIL JULI JULIO JULHO LUGLIO LUG LIPIEC LIP CERVENEC CVC SRPANJ IULIE IUL JULIUS HEINAKUU HEI JUULI JULIJS LIEPA LIE TEMMUZ TEM KORRIK",
	"AUGUST AUG AOUT AOU AGOSTO AGO AUGUSTUS SIERPIEN SIE SRPEN SRP KOLOVOZ AUGUSZTUS AUGUSTI ELOKUU ELO AUGUSTS RUGPJUTIS RUGP AGUSTOS AGU GUSHT",
	"SEPTEMBER SEP SEPT SEPTEMBRE SEPTIEMBRE SETEMBRO SET SETTEMBRE WRZESIEN WRZ ZARI ZAR RUJAN SEPTEMBRIE SZEPTEMBER SYYSKUU SYY SEPTEMBRIS RUGSEJIS RUGS EYLUL EYL SHTATOR",
	"OCTOBER OCT OCTOBRE OKTOBER OKT OCTUBRE OUTUBRO OUT OTTOBRE OTT PAZDZIERNIK PAZ RIJEN RIJ OCTOMBRIE LOKAKUU LOK OKTOOBER OKTOBRIS SPALIS SPA EKIM EKI TETOR",
	"NOVEMBER NOV NOVEMBRE NOVIEMBRE NOVEMBRO LISTOPAD LIS STUDENI NOIEMBRIE NOI MARRASKUU MARR NOVEMBRIS LAPKRITIS LAP KASIM KAS NENTOR",
	"DECEMBER DEC DECEMBRE DEZEMBER DEZ DICIEMBRE DIC DEZEMBRO DICEMBRE GRUDZIEN GRU PROSINEC PRO PROSINAC DECEMBRIE JOULUKUU JOU DETSEMBER DETS DECEMBRIS GRUODIS GRUO ARALIK ARA DHJETOR",
}
