# The service with its models: `docker build -t wakeword .` (docs/service.md, "Docker").
#
# Every package is held to its hash by requirements/service.txt, and the base by its tag. To hold
# the base by its content too, name its digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... .
#
# A pip that must be told where packages are gets its configuration as a secret, which no layer
# keeps, and likewise certificates, to be named in it as `cert = /run/secrets/ca`:
#   docker build --secret id=pip,src=$HOME/.config/pip/pip.conf --secret id=ca,src=ca.pem .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /build && python3 -m venv --without-pip /opt/wakeword
WORKDIR /source
# Locks first: as long as they stay the same, what they install is taken from the layer cache.
COPY requirements/build.txt requirements/service.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /build/bin/pip install --only-binary :all: --require-hashes -r requirements/build.txt && \
    /build/bin/pip --python /opt/wakeword/bin/python install \
        --only-binary :all: --require-hashes -r requirements/service.txt
COPY . .
RUN /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . && \
    /build/bin/pip --python /opt/wakeword/bin/python install --no-index --no-deps /wheels/*.whl

FROM ${PYTHON_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wakeword" \
      org.opencontainers.image.description="Wake-word detection for many microphones" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The ids are fixed, so that volumes and policies can name them.
RUN groupadd --gid 10001 wakeword && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/wakeword \
        --shell /usr/sbin/nologin wakeword && \
    install -d -o wakeword -g wakeword -m 0700 /var/lib/wakeword
COPY --from=build /opt/wakeword /opt/wakeword
ENV PATH=/opt/wakeword/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WAKEWORD_SERVICE_HOST=0.0.0.0 \
    WAKEWORD_SERVICE_PORT=8765 \
    WAKEWORD_SERVICE_STATE_DIR=/var/lib/wakeword
USER 10001:10001
WORKDIR /var/lib/wakeword
VOLUME /var/lib/wakeword
EXPOSE 8765
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-m", "wakeword_service.health"]
ENTRYPOINT ["wakeword"]
CMD ["serve"]
