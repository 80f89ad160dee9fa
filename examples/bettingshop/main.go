// Command bettingshop shows how a client uses partial answers: it takes two bets of one person, sends the pictures once, and listens to its feed.
//
// A stake of two pounds goes through the moment the document looks like an identity document. A stake of three thousand waits until everything is
// known, and goes through only when every group is clear. The program uses nothing but HTTP and JSON, so that it can be read as documentation.
//
//	go run ./examples/bettingshop -server http://127.0.0.1:8080 -key-file bonafide-data/demo.key -document passport.jpg -selfie face.mp4
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var s shop
	flag.StringVar(&s.server, "server", "http://127.0.0.1:8080", "where bonafide listens")
	keyFile := flag.String("key-file", "", "file with the shop's API key")
	document := flag.String("document", "", "picture of the punter's document")
	selfie := flag.String("selfie", "", "video of the punter's face")
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()
	key, err := os.ReadFile(*keyFile)
	if err == nil {
		s.key = string(key)
		ctx, stop := context.WithTimeout(context.Background(), *timeout)
		defer stop()
		err = s.play(ctx, *document, *selfie)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bettingshop:", err)
		os.Exit(1)
	}
}
