// Package app is where everything meets: the command line, the configuration, and the one table of services.
//
// It is the only package that knows every service. Services know libraries and the log, and never one another.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes of the program.
const (
	done     = 0
	couldNot = 1
	misused  = 2
)

// CLI is the command line; each field is a command in a file of its own.
type CLI struct {
	Up        Up        `cmd:"" help:"Run every service in one process on an embedded log."`
	Run       Run       `cmd:"" help:"Run some of the services in one process."`
	Verify    Verify    `cmd:"" help:"Send pictures and print what is found, as it is found."`
	Eval      Eval      `cmd:"" help:"Run many pictures through the real pipeline and write the findings."`
	Keys      Keys      `cmd:"" help:"Create, list and revoke the API keys of clients."`
	Specimen  Specimen  `cmd:"" help:"Draw an identity document of an invented state."`
	Topics    Topics    `cmd:"" help:"Print the table of topics."`
	Checks    Checks    `cmd:"" help:"Print the catalogue of checks."`
	Decisions Decisions `cmd:"" help:"Print what is decided for each dependency that is down, slow or unreliable."`
	Bench     Bench     `cmd:"" help:"Measure speed and memory on this machine."`
	Version   Version   `cmd:"" help:"Print the version."`
}

// streams is where a command writes.
type streams struct{ out, err io.Writer }

// Main runs the program and gives its exit code: 0 done, 1 could not, 2 wrong usage.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, args, streams{stdout, stderr})
}

// exited carries kong's wish to exit (after --help) up to execute.
type exited struct{ code int }

func execute(ctx context.Context, args []string, io streams) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = e.code
		}
	}()
	var cli CLI
	parser, err := kong.New(&cli, kong.Name("bonafide"),
		kong.Description("Verifies that a person is who their identity document says they are.\n\nExample:\n  bonafide up --data data\n  bonafide verify --document passport.jpg --selfie face.mp4"),
		kong.Writers(io.out, io.err), kong.Exit(func(code int) { panic(exited{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(io))
	if err != nil {
		fmt.Fprintln(io.err, "bonafide:", err)
		return couldNot
	}
	command, err := parser.Parse(args)
	if err == nil {
		err = command.Run()
	}
	return report(io.err, err)
}

// usageError is a wrong use that only the command itself can see.
type usageError struct{ msg string }

func (e usageError) Error() string { return e.msg }

func report(w io.Writer, err error) int {
	var parse *kong.ParseError
	var usage usageError
	switch {
	case err == nil:
		return done
	case errors.As(err, &parse), errors.As(err, &usage):
		fmt.Fprintf(w, "bonafide: %v\nTry: bonafide --help\n", err)
		return misused
	default:
		fmt.Fprintf(w, "bonafide: %v\n", err)
		return couldNot
	}
}
