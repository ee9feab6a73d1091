package static

const (
	manifest    = "manifests/open-redis-enterprise-operator.clusterserviceversion.yaml"
	clusters    = "manifests/app.redislabs.com_redisenterpriseclusters.yaml"
	databases   = "manifests/app.redislabs.com_redisenterprisedatabases.yaml"
	annotations = "metadata/annotations.yaml"
)

// damages are for each test of the suite, and in it for each check in its order, what is done to a bundle and then found.
var damages = map[string][][]damage{
	"descriptors-complete": {
		{{"memorySizes does not exist", replace(manifest, "path: memorySize\n", "path: memorySizes\n")}},
		{{"nodes is a field of RedisEnterpriseCluster and is described on", replace(manifest, "path: recName\n", "path: nodes\n")}},
		{{"names {", replace(manifest, "- kind: StatefulSet\n        name: \"\"\n        version: v1\n", "- kind: StatefulSet\n        name: \"\"\n        version: \"\"\n")}},
	},
	"examples-valid": {
		{
			{"sessions: a second one, without description", replace(manifest, `"description": "A database that two clusters hold together`, `"text": "A database that two clusters hold together`)},
			{"no example of RedisEnterpriseRemoteCluster", replace(manifest, `"kind": "RedisEnterpriseRemoteCluster"`, `"kind": "RedisEnterpriseRemote"`)},
		},
		{{"spec.nodes", replace(manifest, `"nodes": 3`, `"nodes": "three"`)}},
	},
	"images-pinned": {
		{
			{"containerImage is docker.io", replace(manifest, "containerImage: quay.io/", "containerImage: docker.io/")},
			{"is not pinned by a digest", replace(manifest, "@sha256:63d54628cee02858555c9a13fecc0ea2addedca3279b57c9b0500c2d34dad493", ":8.2.0")},
		},
		{{"cannot be mirrored", replace(manifest, `openshift.io/disconnected: "true"`, `openshift.io/disconnected: "false"`)}},
	},
	"certified-annotations": {
		{{"annotation support is missing", replace(manifest, "    support: https:", "    supports: https:")}},
		{{"cannot parse", replace(manifest, `createdAt: "2026-`, `createdAt: "in 2026-`)}},
		{{"0 icons", replace(manifest, "  icon:\n", "  icons:\n")}, {"1 icons", replace(manifest, "mediatype: image/svg+xml", "mediatype: image/png")}},
		{{"csi is", replace(manifest, `features.operators.openshift.io/csi: "false"`, "features.operators.openshift.io/csi: ”false”")}},
		{{"Seamless", replace(manifest, "capabilities: Seamless Upgrades", "capabilities: Seamless")}, {"categor", replace(manifest, "    categories: ", "    categories: Nonsense,")}},
		{
			{"no closed range", replace(annotations, "v4.18-v4.22", "v4.18")},
			{"shuts out OpenShift 4.18", replace(manifest, "minKubeVersion: 1.31.0", "minKubeVersion: 1.33.0")},
			{`minKubeVersion "1.31"`, replace(manifest, "  minKubeVersion: 1.31.0", "  minKubeVersion: \"1.31\"")},
		},
		{{"not there in that spelling", replace(manifest, "  minKubeVersion: 1.31.0", "  MinKubeVersion: 1.31.0")}},
	},
	"pod-security": {
		{
			{"not restricted", replace(manifest, "runAsNonRoot: true", "runAsNonRoot: false")},
			{"security context", replace(manifest, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")},
			{"no WATCH_NAMESPACE", replace(manifest, "name: WATCH_NAMESPACE", "name: NAMESPACE")},
			{"required-scc", replace(manifest, "openshift.io/required-scc: restricted-v2", "openshift.io/required-scc: anyuid")},
		},
		{{"the liveness probe asks nothing", replace(manifest, "path: /healthz", `path: ""`)}, {"resources are", replace(manifest, "                  requests:\n", "                  wishes:\n")}},
		{{"labels say [arm64]", replace(manifest, "operatorframework.io/arch.amd64", "operatorframework.io/arch.arm64")}},
	},
	"rbac-least-privilege": {
		{
			{"wildcard", replace(manifest, "- routes/custom-host", "- '*'")},
			{"of secrets in the whole cluster", replace(manifest, "          - apiservers\n", "          - secrets\n")},
			{"create of [apiservers] in the whole cluster", replace(manifest, "          - apiservers\n          verbs:\n          - get\n", "          - apiservers\n          verbs:\n          - create\n")},
			{"escalate in", replace(manifest, "          - routes/custom-host\n          verbs:\n          - create\n", "          - routes/custom-host\n          verbs:\n          - escalate\n")},
		},
		{{"OLM grants the one object by name", replace(manifest, "          - monitoring.coreos.com\n", "          - operators.coreos.com\n")}},
		{{"poddisruptionbudgets of policy", replace(manifest, "- kind: PodDisruptionBudget\n", "- kind: Budget\n")}},
	},
	"upgrade-graph": {
		{{"version 1.1.0-1", replace(manifest, "\n  version: 1.1.0\n", "\n  version: 1.1.0-1\n")}},
		{{"channel beta", replace(annotations, "candidate-v1", "beta")}, {"channels [candidate-v1 fast-v1]", replace(annotations, "fast-v1,stable-v1", "fast-v1")}},
		{{"skipRange", replace(manifest, "'>=1.0.0 <1.1.0'", "'>=1.0.1 <1.1.0'")}},
	},
	"crd-upgrade-safety": {
		{{"2 storage versions", replace(clusters, "storage: false", "storage: true")}, {"versions [v1 v1beta1]", replace(clusters, "    name: v1alpha1\n", "    name: v1beta1\n")}},
		{{"field memorySize is gone", replace(databases, "memorySize:\n", "memory:\n")}},
	},
	"webhooks-sane": {
		{
			{"sideEffects", replace(manifest, "sideEffects: None", "sideEffects: Some")},
			{"from port 9443 to 8443", replace(manifest, "containerPort: 443\n", "containerPort: 9443\n")},
			{"to 9999", replace(manifest, "targetPort: 8443\n", "targetPort: 9999\n")},
			{`asks the path ""`, replace(manifest, "    webhookPath: /admission\n", "")},
			{"nobody checks v1alpha1 of redisenterprisedatabases", replace(manifest, "      resources:\n      - redisenterprisedatabases\n", "      resources:\n      - redisenterpriseactiveactivedatabases\n")},
			{"is a second one for redisenterpriseactiveactivedatabases/v1alpha1", replace(manifest, "      resources:\n      - redisenterprisedatabases\n", "      resources:\n      - redisenterpriseactiveactivedatabases\n")},
		},
		{{"[v1beta1]", replace(manifest, "  - admissionReviewVersions:\n    - v1\n", "  - admissionReviewVersions:\n    - v1beta1\n")}},
	},
	"olmv1-compatible": {
		{{"AllNamespaces is not supported", replace(manifest, "supported: true\n    type: AllNamespaces", "supported: false\n    type: AllNamespaces")}},
		{
			{"the bundle has dependencies", file("metadata/dependencies.yaml", "dependencies:\n- type: olm.package\n  value: {packageName: other, version: 1.0.0}\n")},
			{"something else is required", replace(manifest, "  customresourcedefinitions:\n", "  customresourcedefinitions:\n    required:\n    - {name: others.example.com, kind: Other, version: v1}\n")},
			{"annotation operatorframework.io/properties", replace(manifest, "    capabilities: Seamless", "    operatorframework.io/properties: '{}'\n    capabilities: Seamless")},
		},
		{{"NetworkPolicy deny", file("manifests/deny.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: deny\n")}},
	},
	"budget": {{{"bytes packed", noise}}},
}
