# 智慧党建. `make help` lists what there is.
SHELL := /bin/bash
# Without tables for debuggers: a quarter less to link. Stacks and profiles need none.
export GOFLAGS := -buildvcs=false -ldflags=-w
REPORTS := bin/reports

.PHONY: help run test lint test-mongo bench spec generate generate-check types web packages race e2e cluster clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

run: web ## Build the clients and start the whole product (ADDR, DATA, ADMIN_PASSWORD)
	go build -o bin/zhihuidangjian ./bff
	@exec bin/zhihuidangjian

test: ## Everything: unit, integration, race, separate processes, browser
	bash scripts/test.sh

test-mongo: ## What stands on a document store, against the server MONGO_TEST_URI
	bash scripts/mongo.sh

lint: ## Look for what is known to be bad Go
	sh scripts/lint.sh

bench: ## Speed, as ratios to a bare Hertz echo and a raw driver call
	go run ./scripts/bench
	go run ./scripts/bench -flat
	go run ./scripts/bench/sheets
	go test ./rpc/dues -run '^$$' -bench Report

spec: ## How many rows of the specification a passing test proves
	@test -d $(REPORTS) || bash scripts/test.sh >/dev/null
	@go run ./scripts/spec $(REPORTS)

generate: ## Generate idl/gen from idl/*.thrift
	bash scripts/generate.sh

types: ## Make the clients' types of what the routes answer
	cd bff/web/console && npm ci --no-audit --no-fund --silent
	sh scripts/types.sh

web: bin/.console bin/.member ## Build the web clients

bin/.console: $(shell find bff/web/shared bff/web/console bff/web/member/src/static/icons -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
	cd bff/web/console && npm ci --no-audit --no-fund && npm run build
	@mkdir -p bin && touch $@

bin/.member: $(shell find bff/web/shared bff/web/member -name node_modules -prune -o -name dist -prune -o -name unpackage -prune -o -type f -print 2>/dev/null)
	cd bff/web/member && npm ci --no-audit --no-fund && npm run build:h5 && npm run build:mp
	@mkdir -p bin && touch $@

packages: ## Install the Debian packages that tests need
	bash scripts/packages.sh

clean: ## Remove what was built
	rm -rf bin bff/web/*/node_modules
