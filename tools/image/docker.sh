# Build and run the image with a Docker engine; sourced by tools/check_image.sh.
# shellcheck shell=bash
# Every container has what service/compose.yaml gives the service: a read-only root, no
# capabilities, no new privileges, /tmp in memory.

limits=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
container=wakeword-check-$$
volume=$container

engine_name() { echo "docker $(docker version --format '{{.Server.Version}}')"; }

engine_build() {
    local arguments=() variable
    for variable in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
        [[ -z ${!variable:-} ]] || arguments+=(--build-arg "$variable")
    done
    if (($# > 0)); then
        echo "note: a Docker build cannot mount $*: packages must come from an index" >&2
    fi
    DOCKER_BUILDKIT=1 docker build "${build_arguments[@]}" "${arguments[@]}" --tag "$image" .
}

contained() {
    local network=()
    [[ -z ${running:-} ]] || network=(--network "container:$container")
    docker run --rm --init "${limits[@]}" "${network[@]}" --volume "$volume:/var/lib/wakeword" \
        --volume "$PWD/samples:/mnt/samples:ro" --entrypoint "$1" "$image" "${@:2}"
}

service_start() {
    docker run --detach --name "$container" "${limits[@]}" \
        --volume "$volume:/var/lib/wakeword" "$image" >/dev/null
    running=yes
}

service_health() {
    [[ $(docker inspect --format '{{.State.Health.Status}}' "$container") == healthy ]]
}

service_runs() { [[ $(docker inspect --format '{{.State.Running}}' "$container") == true ]]; }
service_log() { docker logs "$container" 2>&1; }

service_stop() {
    docker stop --time 20 "$container" >/dev/null
    running=
    return "$(docker inspect --format '{{.State.ExitCode}}' "$container")"
}

engine_clean() {
    docker rm --force --volumes "$container" >/dev/null 2>&1 || true
    docker volume rm --force "$volume" >/dev/null 2>&1 || true
}

unchecked() { :; }
