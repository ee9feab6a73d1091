# The catalog with its cache, so that it serves without building one first.
FROM quay.io/operator-framework/opm:v1.74.0 AS cache
COPY catalog/open-redis-enterprise-operator /configs/open-redis-enterprise-operator
RUN ["/bin/opm", "serve", "/configs", "--cache-dir=/tmp/cache", "--cache-only"]

FROM quay.io/operator-framework/opm:v1.74.0
COPY --from=cache /configs /configs
COPY --from=cache /tmp/cache /tmp/cache
COPY LICENSE /licenses/
LABEL operators.operatorframework.io.index.configs.v1=/configs
ENTRYPOINT ["/bin/opm"]
CMD ["serve", "/configs", "--cache-dir=/tmp/cache"]
