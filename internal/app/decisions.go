package app

// Decisions prints what is decided for each dependency.
type Decisions struct{}

// Help gives an example.
func (Decisions) Help() string { return "Example:\n  bonafide decisions" }

// Run prints the table.
func (Decisions) Run(s streams) error {
	return table(s.out, "DEPENDENCY\tDOWN\tSLOW\tUNRELIABLE\tTHEN", func(row func(...any)) {
		for _, d := range decided {
			row(d.name, d.Down, d.Slow, d.Unreliable, d.then)
		}
	})
}
