# The operator's image for people who have an engine; without one: make images.
FROM golang:1.26 AS build
ARG VERSION=dev
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN install --directory --mode=1777 /rootfs/tmp \
    && CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
       go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /rootfs/manager .

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Open operator for Redis Enterprise" \
      org.opencontainers.image.source="https://github.com/open-redis-enterprise/operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      name="open-redis-enterprise-operator" \
      vendor="Open Redis Enterprise" \
      version="${VERSION}" \
      release="1" \
      maintainer="maintainers@open-redis-enterprise.io" \
      summary="Open operator for Redis Enterprise" \
      description="Runs Redis Enterprise clusters and their databases on Kubernetes and OpenShift."
COPY --from=build /rootfs/ /
COPY LICENSE /licenses/LICENSE
USER 1001
ENTRYPOINT ["/manager"]
