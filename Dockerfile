# syntax=docker/dockerfile:1
# docker build --build-arg NARTHEX_REVISION="$(git rev-parse HEAD)" -t narthex .
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        libre2-dev libsnappy-dev libzstd-dev zlib1g-dev libcrypt-dev libyaml-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# What `narthex --version` says of the build.
ARG NARTHEX_REVISION NARTHEX_BRANCH NARTHEX_BUILD_DATE
COPY . .
RUN swift build -c release --static-swift-stdlib --product narthex \
    && install -s "$(swift build -c release --static-swift-stdlib --show-bin-path)/narthex" /narthex

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        libre2-9 libsnappy1v5 libzstd1 zlib1g libcrypt1 libyaml-0-2 libstdc++6 ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --home-dir /data narthex \
    && install -d -o narthex -g narthex /data
COPY --from=build /narthex /usr/bin/narthex
USER narthex
WORKDIR /data
VOLUME /data
EXPOSE 9090 9091
ENTRYPOINT ["/usr/bin/narthex"]
