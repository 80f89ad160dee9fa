package class

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/bonafide-id/bonafide/internal/vision/fields"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// ownNames adds names of states as their documents print them, where the usual short
// name is not part of them.
const ownNames = "RZECZPOSPOLITA POLSKA=POL|BUNDESREPUBLIK DEUTSCHLAND=D|FEDERAL REPUBLIC OF GERMANY=D|REPUBLIQUE FRANCAISE=FRA|REPUBBLICA ITALIANA=ITA|CESKA REPUBLIKA=CZE|" +
	"CZECH REPUBLIC=CZE|SLOVENSKA REPUBLIKA=SVK|REPUBLIKA SLOVENIJA=SVN|REPUBLIKA HRVATSKA=HRV|MAGYARORSZAG=HUN|EESTI VABARIIK=EST|LATVIJAS REPUBLIKA=LVA|LIETUVOS RESPUBLIKA=LTU|" +
	"KONINKRIJK DER NEDERLANDEN=NLD|KINGDOM OF THE NETHERLANDS=NLD|HELVETICA=CHE|SCHWEIZERISCHE EIDGENOSSENSCHAFT=CHE|CONFEDERATION SUISSE=CHE|UNITED STATES OF AMERICA=USA|" +
	"UNITED KINGDOM=GBR|GREAT BRITAIN=GBR|DVLA=GBR|PRINCIPAUTE DE MONACO=MCO|FURSTENTUM LIECHTENSTEIN=LIE|REPUBLIKA SRBIJA=SRB|REPUBLIC OF SERBIA=SRB|TURKIYE CUMHURIYETI=TUR|" +
	"REPUBLICA PORTUGUESA=PRT|REINO DE ESPANA=ESP|KONGERIKET NORGE=NOR|KONGERIGET DANMARK=DNK|REPUBLIK OSTERREICH=AUT|SUOMI=FIN|UTOPIA=UTO|INTERPOL=XPO"

// places of the world's regions in 28 languages.
var tongues = []language.Tag{language.English, language.French, language.German, language.Spanish, language.Portuguese, language.Italian, language.Dutch,
	language.Polish, language.Czech, language.Slovak, language.Slovenian, language.Croatian, language.Romanian, language.Hungarian, language.Danish, language.Swedish,
	language.Norwegian, language.Finnish, language.Estonian, language.Latvian, language.Lithuanian, language.Turkish, language.Albanian, language.Icelandic,
	language.Make("ga"), language.Make("mt"), language.Make("ca"), language.Make("cy")}

// Countries finds names of countries in print. It is built once: it holds some seven
// thousand names.
type Countries struct{ byName map[string]string }

// NewCountries gathers the names of all countries in the languages of Europe.
func NewCountries() *Countries {
	c := &Countries{byName: map[string]string{}}
	for _, code := range mrz.States() {
		region, err := language.ParseRegion(code)
		if err != nil || len(code) != 3 {
			continue
		}
		for _, t := range tongues {
			if n := display.Regions(t); n != nil {
				c.add(n.Name(region), ICAO(code))
			}
		}
	}
	for _, row := range strings.Split(ownNames, "|") {
		name, code, _ := strings.Cut(row, "=")
		c.byName[name] = code
	}
	return c
}

func (c *Countries) add(name, code string) {
	if f := fields.Fold(name); len(f) >= 4 {
		if _, ok := c.byName[f]; !ok {
			c.byName[f] = code
		}
	}
}

// ICAO writes a code as Doc 9303 does: three letters, D for Germany; two letters are
// taken for ISO 3166.
func ICAO(code string) string {
	switch code {
	case "DEU", "BDR", "DE":
		return "D"
	case "D", "":
		return code
	}
	if r, err := language.ParseRegion(code); err == nil && len(code) == 2 {
		return r.ISO3()
	}
	return code
}

// longest is the most words in a name of a country that are looked up together.
const longest = 5

// find returns the country that the page names: the one whose name stands highest on
// the page, a longer name before a shorter one in the same line.
func (c *Countries) find(lines []string) string {
	for _, l := range lines {
		words := strings.Fields(fields.Fold(l))
		for n := min(longest, len(words)); n > 0; n-- {
			for i := 0; i+n <= len(words); i++ {
				if code, ok := c.byName[strings.Join(words[i:i+n], " ")]; ok {
					return code
				}
			}
		}
	}
	return ""
}

// states and provinces of North America as licences print them.
const regionNames = "ALABAMA=AL|ALASKA=AK|ARIZONA=AZ|ARKANSAS=AR|CALIFORNIA=CA|COLORADO=CO|CONNECTICUT=CT|DELAWARE=DE|FLORIDA=FL|GEORGIA=GA|HAWAII=HI|IDAHO=ID|ILLINOIS=IL|INDIANA=IN|IOWA=IA|" +
	"KANSAS=KS|KENTUCKY=KY|LOUISIANA=LA|MAINE=ME|MARYLAND=MD|MASSACHUSETTS=MA|MICHIGAN=MI|MINNESOTA=MN|MISSISSIPPI=MS|MISSOURI=MO|MONTANA=MT|NEBRASKA=NE|NEVADA=NV|NEW HAMPSHIRE=NH|" +
	"NEW JERSEY=NJ|NEW MEXICO=NM|NEW YORK=NY|NORTH CAROLINA=NC|NORTH DAKOTA=ND|OHIO=OH|OKLAHOMA=OK|OREGON=OR|PENNSYLVANIA=PA|RHODE ISLAND=RI|SOUTH CAROLINA=SC|SOUTH DAKOTA=SD|" +
	"TENNESSEE=TN|TEXAS=TX|UTAH=UT|VERMONT=VT|WEST VIRGINIA=WV|VIRGINIA=VA|WASHINGTON=WA|WISCONSIN=WI|WYOMING=WY|DISTRICT OF COLUMBIA=DC|PUERTO RICO=PR|" +
	"ALBERTA=AB|BRITISH COLUMBIA=BC|MANITOBA=MB|NEW BRUNSWICK=NB|NEWFOUNDLAND=NL|NOVA SCOTIA=NS|ONTARIO=ON|PRINCE EDWARD ISLAND=PE|QUEBEC=QC|SASKATCHEWAN=SK|YUKON=YT|NUNAVUT=NU"

const provinces = "AB BC MB NB NL NS ON PE QC SK YT NU"

// region finds a state or province of North America on a licence, and its country.
func region(lines []string) (code, country string) {
	for _, l := range lines {
		words := " " + fields.Fold(l) + " "
		for _, row := range strings.Split(regionNames, "|") {
			name, c, _ := strings.Cut(row, "=")
			if !strings.Contains(words, " "+name+" ") {
				continue
			}
			if strings.Contains(provinces, c) {
				return c, "CAN"
			}
			return c, "USA"
		}
	}
	return "", ""
}
