package mrz

// Format names one layout of a machine-readable zone.
type Format string

// The formats that are understood.
const (
	TD1  Format = "TD1"  // identity card, 3 lines of 30
	TD2  Format = "TD2"  // larger identity card, 2 lines of 36
	TD3  Format = "TD3"  // passport, 2 lines of 44
	MRVA Format = "MRVA" // visa, 2 lines of 44
	MRVB Format = "MRVB" // visa, 2 lines of 36
	FRID Format = "FRA_ID"
	EUDL Format = "EU_DL"
	CHDL Format = "SWISS_DRIVING_LICENCE"
)

// Class says which characters may stand at a position.
type Class uint8

// The classes of positions; the filler is allowed in each.
const (
	Any    Class = iota // A–Z 0–9 <
	Letter              // A–Z <
	Digit               // 0–9 <
	Check               // 0–9, or < on an empty optional field
	Sex                 // M F X <
	State               // A–Z <, and mostly a code that States knows
	Code                // A–Z 0–9 <, a digit being rare: American border cards
)

// Alphabet returns the characters that a class allows.
func (c Class) Alphabet() string {
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	switch c {
	case Letter, State:
		return letters + "<"
	case Digit, Check:
		return digits + "<"
	case Sex:
		return "MFX<"
	}
	return letters + digits + "<"
}

// alphabetic says whether no digit may stand there.
func (c Class) alphabetic() bool { return c == Letter || c == State || c == Sex }

// Span is a run of characters: row, first column, column after the last.
type Span struct{ Row, From, To int }

// FieldSpec says where a field stands and which characters it may hold.
type FieldSpec struct {
	Name string
	Span
	Class Class
}

// CheckSpec is a check digit and the runs of characters it guards, in order.
type CheckSpec struct {
	Name  string
	Digit Span
	Over  []Span
}

// Layout is the description of one format.
type Layout struct {
	Format  Format
	First   string // what the document code begins with
	Lengths []int  // characters of each line
	Fields  []FieldSpec
	Checks  []CheckSpec
}

// Names of fields and of checks, as they end findings' names.
const (
	FieldCode        = "document_code"
	FieldIssuer      = "issuer"
	FieldNumber      = "document_number"
	FieldNationality = "nationality"
	FieldBirth       = "birth_date"
	FieldSex         = "sex"
	FieldExpiry      = "expiry_date"
	FieldSurname     = "surname"
	FieldGiven       = "given_names"
	FieldOptional    = "optional"
	FieldOptional2   = "optional_2"
	fieldName        = "name"

	CheckNumber    = "number"
	CheckBirth     = "birth"
	CheckExpiry    = "expiry"
	CheckOptional  = "optional"
	CheckComposite = "composite"
)

// Layouts returns the description of every format.
func Layouts() []Layout {
	return []Layout{td1(), td2(), td3(), visa(MRVA, 44), visa(MRVB, 36), frenchCard(), euLicence(), swissLicence()}
}

// LayoutOf returns the layout of a format; false for a name that is none.
func LayoutOf(f Format) (Layout, bool) {
	for _, l := range Layouts() {
		if l.Format == f {
			return l, true
		}
	}
	return Layout{}, false
}

// Classes returns the class of each position of a row.
func (l Layout) Classes(row int) []Class {
	out := make([]Class, l.Lengths[row])
	for _, f := range l.Fields {
		for i := f.From; f.Row == row && i < f.To; i++ {
			out[i] = f.Class
		}
	}
	for _, c := range l.Checks {
		if c.Digit.Row == row {
			out[c.Digit.From] = Check
		}
	}
	return out
}

func field(name string, row, from, to int, c Class) FieldSpec {
	return FieldSpec{Name: name, Span: Span{row, from, to}, Class: c}
}

func check(name string, row, col int, over ...Span) CheckSpec {
	return CheckSpec{Name: name, Digit: Span{row, col, col + 1}, Over: over}
}

func td1() Layout {
	return Layout{Format: TD1, First: "ACI", Lengths: []int{30, 30, 30},
		Fields: []FieldSpec{
			field(FieldCode, 0, 0, 2, Code), field(FieldIssuer, 0, 2, 5, State),
			field(FieldNumber, 0, 5, 14, Any), field(FieldOptional, 0, 15, 30, Any),
			field(FieldBirth, 1, 0, 6, Digit), field(FieldSex, 1, 7, 8, Sex),
			field(FieldExpiry, 1, 8, 14, Digit), field(FieldNationality, 1, 15, 18, State),
			field(FieldOptional2, 1, 18, 29, Any), field(fieldName, 2, 0, 30, Letter),
		},
		Checks: []CheckSpec{
			check(CheckNumber, 0, 14, Span{0, 5, 14}),
			check(CheckBirth, 1, 6, Span{1, 0, 6}),
			check(CheckExpiry, 1, 14, Span{1, 8, 14}),
			check(CheckComposite, 1, 29, Span{0, 5, 30}, Span{1, 0, 7}, Span{1, 8, 15}, Span{1, 18, 29}),
		}}
}

// twoLines is what TD2, TD3 and visas share: the name line and the first 28
// characters of the second line.
func twoLines(f Format, first string, n int) Layout {
	return Layout{Format: f, First: first, Lengths: []int{n, n},
		Fields: []FieldSpec{
			field(FieldCode, 0, 0, 2, Letter), field(FieldIssuer, 0, 2, 5, State),
			field(fieldName, 0, 5, n, Letter), field(FieldNumber, 1, 0, 9, Any),
			field(FieldNationality, 1, 10, 13, State), field(FieldBirth, 1, 13, 19, Digit),
			field(FieldSex, 1, 20, 21, Sex), field(FieldExpiry, 1, 21, 27, Digit),
		},
		Checks: []CheckSpec{
			check(CheckNumber, 1, 9, Span{1, 0, 9}),
			check(CheckBirth, 1, 19, Span{1, 13, 19}),
			check(CheckExpiry, 1, 27, Span{1, 21, 27}),
		}}
}

func td2() Layout {
	l := twoLines(TD2, "ACI", 36)
	l.Fields = append(l.Fields, field(FieldOptional, 1, 28, 35, Any))
	l.Checks = append(l.Checks, check(CheckComposite, 1, 35, Span{1, 0, 10}, Span{1, 13, 20}, Span{1, 21, 35}))
	return l
}

func td3() Layout {
	l := twoLines(TD3, "P", 44)
	l.Fields = append(l.Fields, field(FieldOptional, 1, 28, 42, Any))
	l.Checks = append(l.Checks,
		check(CheckOptional, 1, 42, Span{1, 28, 42}),
		check(CheckComposite, 1, 43, Span{1, 0, 10}, Span{1, 13, 20}, Span{1, 21, 43}))
	return l
}

func visa(f Format, n int) Layout {
	l := twoLines(f, "V", n)
	l.Fields = append(l.Fields, field(FieldOptional, 1, 28, n, Any))
	return l
}

func frenchCard() Layout {
	return Layout{Format: FRID, First: "I", Lengths: []int{36, 36},
		Fields: []FieldSpec{
			field(FieldCode, 0, 0, 2, Letter), field(FieldIssuer, 0, 2, 5, State),
			field(FieldSurname, 0, 5, 30, Letter), field(FieldOptional, 0, 30, 36, Any),
			field(FieldNumber, 1, 0, 12, Any), field(FieldGiven, 1, 13, 27, Letter),
			field(FieldBirth, 1, 27, 33, Digit), field(FieldSex, 1, 34, 35, Sex),
		},
		Checks: []CheckSpec{
			check(CheckNumber, 1, 12, Span{1, 0, 12}),
			check(CheckBirth, 1, 33, Span{1, 27, 33}),
			check(CheckComposite, 1, 35, Span{0, 0, 36}, Span{1, 0, 35}),
		}}
}

// euLicence has one check digit over the whole line; what stands between the state
// and it is the issuing state's own affair.
func euLicence() Layout {
	return Layout{Format: EUDL, First: "D", Lengths: []int{30},
		Fields: []FieldSpec{
			field(FieldCode, 0, 0, 2, Code), field(FieldIssuer, 0, 2, 5, State),
			field(FieldOptional, 0, 5, 29, Any),
		},
		Checks: []CheckSpec{check(CheckComposite, 0, 29, Span{0, 0, 29})}}
}

// swissLicence carries no check digits.
func swissLicence() Layout {
	return Layout{Format: CHDL, First: "F", Lengths: []int{9, 30, 30},
		Fields: []FieldSpec{
			field(FieldNumber, 0, 0, 7, Any), field("language", 0, 6, 7, Letter),
			field(FieldCode, 1, 0, 2, Letter), field(FieldIssuer, 1, 2, 5, State),
			field("pin", 1, 5, 14, Digit), field("version", 1, 14, 17, Digit),
			field(FieldBirth, 1, 19, 25, Digit), field(fieldName, 2, 0, 30, Letter),
		}}
}
