package check

// Names of fields, as `doc.text.field.<name>` and its sisters spell them.
var (
	textFields = []string{"surname", "given_names", "birth_date", "expiry_date", "issue_date", "document_number", "sex", "nationality", "issuer",
		"birth_place", "address", "personal_number", "licence_categories"}
	mrzFields     = []string{"document_code", "issuer", "surname", "given_names", "document_number", "nationality", "birth_date", "sex", "expiry_date", "personal_number"}
	barcodeFields = []string{"surname", "given_names", "birth_date", "expiry_date", "issue_date", "document_number", "sex", "address", "issuer"}
	crossFields   = []string{"surname", "given_names", "birth_date", "expiry_date", "document_number", "sex"}
	declaredBy    = []string{"surname", "given_names", "birth_date", "document_number"}
)

var (
	catalogue = build()
	byID      = index(catalogue)
)

func build() []Check {
	var b builder
	b.group("doc.image", "document", PerSide, Quality, "focus", "glare", "dark", "bright", "resolution", "perspective", "cut_off", "no_document", "several_documents")
	b.unbuilt("doc.image", "document", PerSide, Quality, "occlusion", "wrong_side")
	b.group("doc.class", "document", PerSide, Quality, "located", "orientation")
	b.group("doc.class", "text", PerSide, Quality, "type", "country", "region", "side", "supported")
	b.group("doc.text", "text", PerSide, Quality, prefixed("field.", textFields)...)
	b.group("doc.mrz", "text", PerSide, Quality, "detected", "format", "charset")
	b.group("doc.mrz", "text", PerSide, Quality, prefixed("field.", mrzFields)...)
	b.group("doc.mrz", "text", PerSide, Fraud, "check.number", "check.birth", "check.expiry", "check.optional", "check.composite")
	b.group("doc.barcode", "text", PerSide, Quality, "detected", "decoded")
	b.group("doc.barcode", "text", PerSide, Quality, prefixed("field.", barcodeFields)...)
	b.group("doc.barcode", "text", PerSide, Fraud, "aamva.header", "aamva.mandatory", "aamva.dates")
	b.group("doc.validity", "consistency", PerFront, Mismatch, "expired", "minimum_age")
	b.group("doc.validity", "consistency", PerFront, Fraud, "issued_before_expiry", "birth_plausible", "number_format")
	b.group("doc.consistency", "consistency", PerFront, Fraud, prefixed("viz_vs_mrz.", crossFields)...)
	b.group("doc.consistency", "consistency", PerFront, Fraud, prefixed("viz_vs_barcode.", crossFields)...)
	b.group("doc.consistency", "consistency", Sides, Fraud, prefixed("front_vs_back.", crossFields)...)
	b.group("doc.consistency", "consistency", PerFront, Mismatch, prefixed("declared_vs_doc.", declaredBy)...)
	b.unbuilt("doc.presence", "tamper", PerSide, Fraud, "screen_recapture", "printed_copy", "grey_copy", "screenshot")
	b.group("doc.tamper", "tamper", PerSide, Fraud, "portrait_replaced")
	b.unbuilt("doc.tamper", "tamper", PerSide, Fraud, "text_edited", "copy_move", "double_compression", "font_mismatch")
	b.group("doc.portrait", "document", PerFront, Quality, "detected", "single")
	b.group("doc.portrait", "face", PerFront, Quality, "quality")
	b.unbuilt("doc.portrait", "face", PerFront, Fraud, "ghost_match")
	b.group("face.image", "face", PerSelfie, Quality, "detected", "single", "size", "pose", "focus", "exposure")
	b.unbuilt("face.image", "face", PerSelfie, Quality, "covered")
	b.group("face.match", "face", Faces, Fraud, "doc_vs_selfie")
	b.group("face.match", "face", PerSelfie, Fraud, "across_frames")
	b.group("face.pad", "liveness", PerSelfie, Fraud, "passive")
	b.unbuilt("face.pad", "liveness", PerSelfie, Fraud, "print", "replay", "mask")
	b.group("face.challenge", "liveness", PerSelfie, Fraud, "frame_repeat")
	b.unbuilt("face.challenge", "liveness", PerSelfie, Fraud, "turn_left", "turn_right", "blink", "order")
	b.unbuilt("chip", "", Elsewhere, Fraud, "passive_authentication", "data_groups", "portrait_vs_selfie")
	b.unbuilt("register", "", Elsewhere, Fraud, "known", "holder_matches", "not_revoked")
	return b
}

type builder []Check

func (b *builder) group(group, service string, s Scope, k Kind, names ...string) {
	for _, n := range names {
		*b = append(*b, Check{ID: group + "." + n, Group: group, Service: service, Scope: s, Kind: k, Built: true})
	}
}

func (b *builder) unbuilt(group, service string, s Scope, k Kind, names ...string) {
	from := len(*b)
	b.group(group, service, s, k, names...)
	for i := range (*b)[from:] {
		(*b)[from+i].Built = false
	}
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return out
}

func index(cs []Check) map[string]int {
	out := make(map[string]int, len(cs))
	for i, c := range cs {
		out[c.ID] = i
	}
	return out
}
