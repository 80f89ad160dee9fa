package aamva

import "strings"

// Names of fields, as they end findings' names.
const (
	Surname  = "surname"
	Given    = "given_names"
	Birth    = "birth_date"
	Expiry   = "expiry_date"
	Issue    = "issue_date"
	Number   = "document_number"
	Sex      = "sex"
	Address  = "address"
	Issuer   = "issuer"
	Category = "licence_categories"
)

// Field is one value under a common name.
type Field struct {
	Name, Value string
	IDs         []string // the elements that it was read from
}

// Fields returns what the card says under common names; dates are ISO 8601, sex is M, F
// or X, given names include middle names. What the card lacks is left out.
func (c *Card) Fields() []Field {
	surname, given := c.names()
	all := []Field{
		{Surname, surname, []string{"DCS", "DAB", "DAA"}},
		{Given, given, []string{"DAC", "DAD", "DCT", "DAA"}},
		{Birth, c.date("DBB"), []string{"DBB"}},
		{Expiry, c.date("DBA"), []string{"DBA"}},
		{Issue, c.date("DBD"), []string{"DBD"}},
		{Number, c.Value("DAQ"), []string{"DAQ"}},
		{Sex, c.sex(), []string{"DBC"}},
		{Address, c.address(), []string{"DAG", "DAH", "DAI", "DAJ", "DAK"}},
		{Issuer, c.Region(), []string{"DAJ"}},
		{Category, c.some("DCA", "DAR"), []string{"DCA", "DAR"}},
	}
	var out []Field
	for _, f := range all {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

// Field returns the value of the field of that name, "" where there is none.
func (c *Card) Field(name string) string {
	for _, f := range c.Fields() {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// some returns the first value that is there and not a word for none.
func (c *Card) some(ids ...string) string {
	for _, id := range ids {
		if v := c.Value(id); v != "" && v != "NONE" {
			return v
		}
	}
	return ""
}

// names joins what versions put into different elements: a surname of its own (DCS,
// earlier DAB), given names in one (DCT) or two (DAC, DAD), or all in DAA with commas.
func (c *Card) names() (surname, given string) {
	surname = c.some("DCS", "DAB")
	given = strings.TrimSpace(c.some("DAC") + " " + c.some("DAD"))
	if given == "" {
		given = strings.Join(strings.FieldsFunc(c.some("DCT"), nameBreak), " ")
	}
	if surname != "" || !c.has("DAA") {
		return surname, given
	}
	whole := c.Value("DAA")
	parts := strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune(",@$", r) })
	if len(parts) == 1 {
		parts = strings.Fields(whole)
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) == 0 {
		return "", given
	}
	return parts[0], strings.Join(parts[1:], " ")
}

func nameBreak(r rune) bool { return strings.ContainsRune(" ,@$", r) }

func (c *Card) sex() string {
	return map[string]string{"1": "M", "2": "F", "9": "X", "M": "M", "F": "F", "X": "X"}[c.Value("DBC")]
}

func (c *Card) address() string {
	var parts []string
	for _, id := range []string{"DAG", "DAH", "DAI", "DAJ", "DAK"} {
		if v := c.some(id); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, ", ")
}

// Country returns USA, CAN or MEX: what the card says (DCG), else the issuer's.
func (c *Card) Country() string {
	if v := c.Value("DCG"); len(v) >= 3 {
		return v[:3]
	}
	switch r := c.Region(); {
	case r == "":
		return ""
	case strings.Contains(canada, r):
		return "CAN"
	case strings.Contains(mexico, r):
		return "MEX"
	}
	return "USA"
}

// Region returns the two letters of the issuing state or province: by the issuer's
// number, else the state of the address.
func (c *Card) Region() string {
	if r, ok := strings.CutPrefix(lookUp(c.IIN), c.IIN+" "); ok {
		return r
	}
	if v := c.Value("DAJ"); len(v) >= 2 {
		return v[:2]
	}
	return ""
}

func lookUp(iin string) string {
	if i := strings.Index(issuers, iin); i >= 0 && len(iin) == 6 {
		return issuers[i : i+9]
	}
	return ""
}

const (
	canada = "AB BC MB NB NL NS NT NU ON PE QC SK YT"
	mexico = "CU HL"
)

// issuers lists AAMVA's issuer identification numbers.
const issuers = "636000 VA 636001 NY 636002 MA 636003 MD 636004 NC 636005 SC 636006 CT 636007 LA 636008 MT 636009 NM " +
	"636010 FL 636011 DE 636012 ON 636013 NS 636014 CA 636015 TX 636016 NL 636017 NB 636018 IA 636019 GU " +
	"636020 CO 636021 AR 636022 KS 636023 OH 636024 VT 636025 PA 636026 AZ 636028 BC 636029 OR " +
	"636030 MO 636031 WI 636032 MI 636033 AL 636034 ND 636035 IL 636036 NJ 636037 IN 636038 MN 636039 NH " +
	"636040 UT 636041 ME 636042 SD 636043 DC 636044 SK 636045 WA 636046 KY 636047 HI 636048 MB 636049 NV " +
	"636050 ID 636051 MS 636052 RI 636053 TN 636054 NE 636055 GA 636056 CU 636057 HL 636058 OK 636059 AK " +
	"636060 WY 636061 WV 636062 VI 604426 PE 604427 AS 604428 QC 604429 YT 604430 MP 604431 PR 604432 AB " +
	"604433 NU 604434 NT "
