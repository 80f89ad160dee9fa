# Every target may be run again at any time and does only what is missing.
#
#   make setup   install the system packages and model files that are missing
#   make build   build bin/bonafide and the example client
#   make demo    set up, build, and verify documents drawn for the purpose
#   make test    set up, lint, and run every test
#   make lint    formatting, go vet, protobuf contracts
#   make proto   generate gen/ from proto/

version := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ldflags := -X github.com/bonafide-id/bonafide/internal/app.version=$(version)

# What holds state that several goroutines share.
shared := $(addprefix ./internal/,stream log/... seal blob index opened access resilience httpapi service/ingest service/deliver service/summary service/ledger)

.PHONY: setup build demo test lint proto

setup:
	@scripts/setup.sh

build: setup
	@echo "build: bin/bonafide $(version)"
	@go build -trimpath -ldflags '$(ldflags)' -o bin/ ./cmd/bonafide ./examples/bettingshop

demo: build
	@scripts/demo.sh

test: setup
	@$(MAKE) --no-print-directory lint
	@echo "test: go test ./..."
	@go test ./...
	@echo "test: go test -race, where goroutines share"
	@go test -race -short $(shared)
	@echo "test: everything passed"

lint:
	@scripts/lint.sh

proto:
	@cd proto && ../scripts/buf.sh generate .
