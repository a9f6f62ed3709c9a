# The definitions and the ways to install: made from crds/ and cdk8s/, committed under cdk8s/dist/.

# How to reach the cluster: your own kubectl where KUBECONFIG is set, else the lab's.
KUBECTL ?= $(if $(KUBECONFIG),kubectl,e2e/cluster/lab exec host -- kubectl)
# default: in a namespace of its own. drop-in: into the namespace metallb-system, which must exist.
INSTALLATION ?= default
INSTALL_NAMESPACE = $(if $(filter drop-in,$(INSTALLATION)),metallb-system,herald-system)

.PHONY: crds
crds: node_modules ## Write the golden definitions (crds/testdata) anew from the schemas
	@UPDATE_GOLDEN=1 node crds/kinds.test.ts

.PHONY: synth
synth: node_modules crds ## Write the manifests (cdk8s/dist) anew
	@node cdk8s/main.ts

.PHONY: charts-test
charts-test: node_modules ## The Helm charts rendered by Helm, Argo CD's script run by its Lua (both from Go modules, 2 min once)
	@node scripts/run-tests.ts charts cdk8s --match .e2e.ts --minutes 10

.PHONY: install
install: ## Apply definitions and manifests to the cluster (INSTALLATION=default or drop-in) and wait until they run
	@$(KUBECTL) apply --server-side -k $(CURDIR)/cdk8s/dist/crds
	@$(KUBECTL) wait --for=condition=Established --timeout=60s -f $(CURDIR)/cdk8s/dist/crds/crds.yaml
	@$(KUBECTL) apply --server-side -k $(CURDIR)/cdk8s/dist/$(INSTALLATION)
	@$(KUBECTL) -n $(INSTALL_NAMESPACE) rollout status deployment/herald-operator --timeout=180s
	@$(KUBECTL) -n $(INSTALL_NAMESPACE) rollout status daemonset/herald-speaker --timeout=180s
