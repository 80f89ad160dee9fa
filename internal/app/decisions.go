package app

// Decisions prints what is decided for each dependency.
type Decisions struct{}

// Help gives an example, and says how to read the table.
func (Decisions) Help() string {
	return "Example:\n  bonafide decisions\n\n" +
		"Slow reads \"2s: wait 30s\": what takes longer than 2 s is reported, and given up after 30 s. Unreliable is what failed five times in a row: " +
		"\"refuse 5s\" leaves it alone for 5 s. Each decision that is taken is an incident."
}

// Run prints the table.
func (Decisions) Run(s streams) error {
	return table(s.out, "DEPENDENCY\tDOWN\tSLOW\tUNRELIABLE\tTHEN", func(row func(...any)) {
		for _, d := range decided {
			row(d.name, d.Down, d.Slow, d.Unreliable, d.then)
		}
	})
}
