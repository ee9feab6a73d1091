# Made by make bundle; the labels are those of bundle/metadata/annotations.yaml.
FROM scratch

LABEL operators.operatorframework.io.bundle.mediatype.v1="registry+v1"
LABEL operators.operatorframework.io.bundle.manifests.v1="manifests/"
LABEL operators.operatorframework.io.bundle.metadata.v1="metadata/"
LABEL operators.operatorframework.io.bundle.package.v1="open-redis-enterprise-operator"
LABEL operators.operatorframework.io.bundle.channels.v1="candidate-v1,fast-v1,stable-v1"
LABEL operators.operatorframework.io.bundle.channel.default.v1="stable-v1"
LABEL operators.operatorframework.io.metrics.mediatype.v1="metrics+v1"
LABEL operators.operatorframework.io.metrics.builder="hack-bundle"
LABEL operators.operatorframework.io.metrics.project_layout="go.kubebuilder.io/v4"
LABEL operators.operatorframework.io.test.mediatype.v1="scorecard+v1"
LABEL operators.operatorframework.io.test.config.v1="tests/scorecard/"
LABEL com.redhat.openshift.versions="v4.18-v4.22"

LABEL com.redhat.delivery.operator.bundle="true"
LABEL name="open-redis-enterprise-operator-bundle"
LABEL vendor="Open Redis Enterprise"
LABEL maintainer="maintainers@open-redis-enterprise.io"
LABEL version="1.1.0"
LABEL release="1"
LABEL summary="Open operator for Redis Enterprise"
LABEL description="Redis Enterprise clusters and databases, declared as resources. A drop-in for the vendor's operator."

COPY bundle/manifests /manifests/
COPY bundle/metadata /metadata/
COPY bundle/tests/scorecard /tests/scorecard/
COPY LICENSE /licenses/
