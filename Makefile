# make help is the manual.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION      ?= 1.1.0
CLUSTER      ?= local
IMAGE        ?= quay.io/open-redis-enterprise/operator:$(VERSION)
EMULATOR     ?= quay.io/open-redis-enterprise/emulator
NODE_TAG     ?= 8.2.0-46.13
NEXT_TAG     ?= 8.2.1-10.1
GO           ?= go
LOCALCLUSTER := hack/localcluster/cluster
KUBELOCAL    := bin/kubelocal
KUBECTL      ?= $(shell command -v kubectl || echo $(CURDIR)/bin/kubectl)
PACKAGES     := ./...
LDFLAGS      := -s -w -X main.version=$(VERSION)
OLM_TAGS     := containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper,json1
SDK_VERSION  := v1.42.3
SDK_FLAGS    := -X github.com/operator-framework/operator-sdk/internal/version.Version=$(SDK_VERSION) -X github.com/operator-framework/operator-sdk/internal/version.ImageVersion=$(SDK_VERSION)

##@ Try it

.PHONY: demo
demo: ## The main job on a real Kubernetes: operator, a 3-node cluster, databases, a client, a node lost while writing (CLUSTER=existing uses your kubeconfig)
	@hack/demo/demo.sh up $(CLUSTER)

.PHONY: demo-down
demo-down: ## Remove what demo made, and the local Kubernetes with it
	@hack/demo/demo.sh down $(CLUSTER)

.PHONY: demo-lite
demo-lite: $(KUBELOCAL) redis-server ## The same without a Kubernetes node: API server, operator, rigger and emulator as ordinary processes
	@$(GO) run ./hack/lite

##@ Develop

.PHONY: build
build: ## Compile the operator into bin/manager
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/manager .

.PHONY: run
run: ## Run the operator on this machine against kubectl's cluster (KUBECONFIG), namespace redis-enterprise
	POD_NAMESPACE=$${POD_NAMESPACE:-redis-enterprise} $(GO) run . manager --leader-elect=false

.PHONY: generate manifests
generate manifests: ## Write DeepCopy functions, CRDs, RBAC and the pages printed from tables
	@hack/tools/controller-gen/generate.sh
	@$(GO) run ./hack/mappingdoc
	@$(GO) run ./hack/dashboards generate --out config/grafana

.PHONY: check-generated
check-generated: ## Fail when a generated file is not current
	@hack/tools/controller-gen/generate.sh --check
	@$(GO) test -run '^TestMappingPageIsCurrent$$|^TestThePageIsCurrent$$|^TestTheFilesAreCurrent$$' ./internal/bdb ./internal/metrics ./hack/dashboards
	@$(GO) test -C hack/bundle -count=1 -run 'IsCurrent$$|^TestReleasedBundlesAreFrozen$$|^TestEveryRuleHasItsReason$$|^TestPageShowsOurRow$$' ./check ./measure

.PHONY: fmt
fmt: ## Format the Go sources
	@gofmt -w $$(git ls-files '*.go')

.PHONY: lint
lint: bin/golangci-lint lint-rules lint-dashboards ## Run golangci-lint, shellcheck, promtool and the lint of dashboards
	@bin/golangci-lint run ./...
	@cd hack/bundle && $(CURDIR)/bin/golangci-lint run -c $(CURDIR)/.golangci.yml ./...
	@cd scorecard && $(CURDIR)/bin/golangci-lint run -c $(CURDIR)/.golangci.yml ./...
	@if command -v shellcheck >/dev/null; then shellcheck -x $$(git ls-files '*.sh' .ci/run $(LOCALCLUSTER) hack/localcluster/smoke hack/localcluster/node/init); else echo "shellcheck is not installed; skipped (apt-get install shellcheck)"; fi

RULES ?= $(wildcard test/alerts/testdata/*rules.yaml config/prometheus/*rules.yaml)

.PHONY: lint-dashboards
lint-dashboards: ## Check every query of the dashboards with Prometheus's parser, and that it asks for documented metrics
	@$(GO) -C hack/tools/promql test -count=1 ./...

.PHONY: lint-rules
lint-rules: ## Check the alerting rules and run their tests with promtool
	@command -v promtool >/dev/null || hack/demo/packages.sh prometheus
	@promtool check rules $(RULES)
	@promtool test rules $(wildcard test/alerts/testdata/*.test.yaml config/prometheus/*.test.yaml)

bin/golangci-lint: hack/tools/golangci-lint/go.mod
	@echo "building golangci-lint (some minutes, once)"
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -C hack/tools/golangci-lint -o ../../../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

MINUTES ?= 10

.PHONY: dashboards-pictures
dashboards-pictures: redis-server ## Draw docs/dashboards anew: an emulated cluster works for MINUTES (10), loses a node, and Prometheus looks
	@command -v prometheus >/dev/null || hack/demo/packages.sh prometheus
	@data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; \
	  $(GO) run ./hack/dashboards record --data "$$data" --minutes $(MINUTES); \
	  $(GO) run ./hack/dashboards render --data "$$data" --minutes $(MINUTES) --out docs/dashboards --only cluster,database,shard,active-active

##@ Test

.PHONY: test
test: $(KUBELOCAL) redis-server compiler ## Unit, wire, contract and API-server tests with the race detector, and bundle-check
	@GO='$(GO)' PACKAGES='$(PACKAGES)' BESIDE='$(MAKE) --no-print-directory bundle-check' hack/test.sh

.PHONY: crash
crash: $(KUBELOCAL) redis-server ## Inject a fault at every call of every flow; prints the points and the divergences; CRASH holds further flags
	@start=$$SECONDS; GOGC=300 $(GO) test -timeout 180m -count=1 -v -run TestCrashAtEveryCall ./test/crash -args -full $(CRASH); echo "make crash: $$((SECONDS-start)) s"

.PHONY: e2e
e2e: ## The cluster suite on the local Kubernetes (or CLUSTER=existing); E2E holds further flags
	@start=$$SECONDS; hack/demo/demo.sh e2e $(CLUSTER) $(E2E); echo "make e2e: $$((SECONDS-start)) s"

.PHONY: e2e-olm
e2e-olm: ## A real OLM on the local Kubernetes: subscription, upgrade, gate, operator-sdk run bundle, scorecard (E2E holds further flags)
	@hack/olm/e2e.sh $(E2E)

.PHONY: redis-server
redis-server:
	@command -v redis-server >/dev/null || hack/demo/packages.sh redis-server

# The race detector is linked by a C compiler.
.PHONY: compiler
compiler:
	@cc=$$($(GO) env CC); command -v "$${cc%% *}" >/dev/null || hack/demo/packages.sh gcc libc6-dev

##@ Local Kubernetes

$(KUBELOCAL): hack/localcluster/kube/go.mod hack/localcluster/kube/main.go
	@$(LOCALCLUSTER) build kube

.PHONY: cluster-up
cluster-up: ## Start a real single-node Kubernetes in namespaces of its own (Linux, root)
	@$(LOCALCLUSTER) up

.PHONY: cluster-down
cluster-down: ## Stop it and leave nothing behind
	@$(LOCALCLUSTER) down

.PHONY: images
images: ## Build the images into bin/images, without a container engine
	@hack/demo/images.sh

.PHONY: must-gather-image
must-gather-image: ## Build the image for oc adm must-gather into bin/images/must-gather.tar
	@$(GO) run ./hack/images must-gather --version $(VERSION)

##@ Bundle and catalog for OLM

VARIANT ?= openshift
OUT     ?=
RELEASE  = $(shell sed -n 's/^version: //p' config/manifests/release.yaml)

.PHONY: bundle
bundle: ## Make bundle/ and bundle.Dockerfile from config and apis (VARIANT=community OUT=folder for any Kubernetes; its Dockerfile is put beside)
	@$(GO) run -C hack/bundle . -root $(CURDIR) -variant $(VARIANT) $(if $(OUT),-out $(abspath $(OUT)))

.PHONY: catalog
catalog: ## Make the file-based catalog from catalog/template.yaml (VARIANT=community OUT=folder BUNDLE_IMAGE=repository for any Kubernetes)
	@$(GO) run -C hack/bundle . -root $(CURDIR) -make catalog -variant $(VARIANT) -bundle-image "$(BUNDLE_IMAGE)" $(if $(OUT),-out $(abspath $(OUT)))

# Compiled like everything that goes into images and onto the local Kubernetes, so that what they have in common is compiled
# once; make lint vets it.
SHARED       := CGO_ENABLED=0 GOGC=300
SHARED_FLAGS := -trimpath -gcflags=all=-dwarf=false

# The cache of test results does not see files outside of the module, hence -count=1.
.PHONY: bundle-check
bundle-check: scorecard-test ## Every offline gate of bundle and catalog, warnings included: validators, traps, certification, upgrade safety; part of make test
	@$(SHARED) $(GO) test -C hack/bundle $(SHARED_FLAGS) -vet=off -count=1 ./...

.PHONY: scorecard-test
scorecard-test: ## The scorecard suite redis-static on bundle/, and the tests of redis-lifecycle that need no cluster
	@$(SHARED) $(GO) test -C scorecard $(SHARED_FLAGS) -vet=off -count=1 ./...

.PHONY: scorecard-image
scorecard-image: ## Build the image of our scorecard tests into bin/images/scorecard.tar
	@$(GO) run ./hack/images scorecard --version $(RELEASE)

.PHONY: scorecard-live
scorecard-live: ## The scorecard suite redis-lifecycle on the cluster of KUBECONFIG, which has OLM (SCORECARD holds flags, such as -catalog-image)
	@$(GO) test -C scorecard -tags e2e -count=1 -timeout 90m -v -run TestLifecycle ./lifecycle -args $(SCORECARD)

.PHONY: bundle-judges
bundle-judges: bin/opm bin/operator-sdk ## Bundle and catalog judged once more by the programs opm and operator-sdk, built once in minutes
	@hack/bundle/check.sh

bin/opm: hack/tools/opm/go.mod
	@echo "building opm (some minutes, once)"
	@mkdir -p bin
	@$(SHARED) $(GO) build -C hack/tools/opm $(SHARED_FLAGS) -tags $(OLM_TAGS) -o ../../../bin/opm github.com/operator-framework/operator-registry/cmd/opm

bin/operator-sdk: hack/tools/operator-sdk/go.mod
	@echo "building operator-sdk (some minutes, once)"
	@mkdir -p bin
	@$(SHARED) $(GO) build -C hack/tools/operator-sdk $(SHARED_FLAGS) -tags $(OLM_TAGS) -ldflags '$(SDK_FLAGS)' -o ../../../bin/operator-sdk github.com/operator-framework/operator-sdk/cmd/operator-sdk

##@ Deploy

.PHONY: install-yaml
install-yaml: ## Write dist/install.yaml, which installs everything without OLM
	@$(GO) run -C hack/bundle . -root $(CURDIR) -make install

.PHONY: deploy
deploy: ## Install CRDs and operator from config/default on kubectl's cluster (KUBECONFIG)
	$(KUBECTL) get namespace redis-enterprise >/dev/null 2>&1 || $(KUBECTL) create namespace redis-enterprise
	$(KUBECTL) apply --server-side -k config/default

.PHONY: undeploy
undeploy: ## Remove the operator from kubectl's cluster; CRDs and data stay
	$(KUBECTL) delete --ignore-not-found -k config/operator

.PHONY: help
help: ## This page
	@awk 'BEGIN {FS = ":.*##"; printf "\nmake <target>\n"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9 -]+:.*##/ {sub(/ manifests$$/, "", $$1); printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
