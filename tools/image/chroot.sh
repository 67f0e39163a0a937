# Build and run the image where no Docker engine is, with buildah as root; sourced by
# tools/check_image.sh.
# shellcheck shell=bash
# buildah runs the build steps in a chroot. The service itself is run by tools/image/enter.sh in
# namespaces of its own, as the image's configuration says.

storage=${WAKEWORD_IMAGE_STORAGE:-${TMPDIR:-/tmp}/wakeword-image}
port=$(python3 -c 'import socket; s = socket.create_server(("", 0)); print(s.getsockname()[1])')
state=$work/state
log=$work/service.log

engine_name() { echo "$(buildah --version | cut -d' ' -f1-3), no Docker engine"; }

engine_build() {
    local folder volumes=()
    [[ $(id -u) == 0 ]] || { echo "error: root is needed for this without Docker" >&2; exit 2; }
    mkdir -p "$storage"
    printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' \
        "$storage" "$storage" >"$work/storage.conf"
    export STORAGE_DRIVER=vfs CONTAINERS_STORAGE_CONF=$work/storage.conf
    make_base
    for folder in "$@"; do volumes+=(--volume "$folder:$folder:ro"); done
    buildah bud --isolation chroot --pull-never --format docker "${build_arguments[@]}" \
        "${volumes[@]}" --tag "$image" .
    # The image before it, if there was one, has lost its name and only takes space.
    buildah images --quiet --filter dangling=true | xargs --no-run-if-empty buildah rmi >/dev/null
    instance=$(buildah from --pull-never "$image")
    root=$(buildah mount "$instance")
    install -d -o 10001 -g 10001 -m 0700 "$state"
    configure
}

# The base image under the tag that the Dockerfile names, made of Debian packages.
make_base() {
    local tag suite base
    tag=$(sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile)
    suite=${tag##*-}
    buildah inspect --type image "$tag" >/dev/null 2>&1 && return
    echo "making $tag with debootstrap, once: it stays in $storage"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        "$suite" "$work/base" ${WAKEWORD_DEBIAN_MIRROR:+"$WAKEWORD_DEBIAN_MIRROR"} \
        >"$work/debootstrap.log" || { tail "$work/debootstrap.log" >&2; exit 1; }
    rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/*
    ln -s ../../bin/python3 "$work/base/usr/local/bin/python3"
    base=$(buildah from scratch)
    buildah add --quiet "$base" "$work/base" / >/dev/null
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$base"
    buildah commit --quiet --rm "$base" "$tag" >/dev/null
    rm -rf "$work/base"
}

# What the image says about running it, as Docker would read it.
configure() {
    local program='
import json, sys
config = json.load(sys.stdin)["Docker"]["config"]
wanted = {"environment": config["Env"], "command": config["Entrypoint"] + config["Cmd"],
          "health": config["Healthcheck"]["Test"][1:], "user": config["User"].split(":"),
          "signal": [config["StopSignal"]], "folder": [config["WorkingDir"]]}
for name in sys.argv[1:]:
    print("\0".join(wanted[name]), end="\0")'
    local inspected=$work/inspected.json
    buildah inspect --type image "$image" >"$inspected"
    mapfile -d '' -t environment < <(python3 -c "$program" environment <"$inspected")
    mapfile -d '' -t command < <(python3 -c "$program" command <"$inspected")
    mapfile -d '' -t health < <(python3 -c "$program" health <"$inspected")
    mapfile -d '' -t facts < <(python3 -c "$program" user signal folder <"$inspected")
    container=(
        unshare --mount --pid --fork --kill-child=SIGKILL bash tools/image/enter.sh
        "$root" "$state" "$PWD/samples" "${facts[0]}" "${facts[1]}" "${facts[3]}"
        "${environment[@]}" "WAKEWORD_SERVICE_PORT=$port" --
    )
}

contained() { "${container[@]}" "$@"; }

service_start() {
    "${container[@]}" "${command[@]}" >"$log" 2>&1 &
    running=$!
}

# Send a signal to process 1 of the service's container: the child of unshare.
service_signal() { kill -s "$1" "$(cat "/proc/$running/task/$running/children")"; }

service_health() { contained "${health[@]}" 2>/dev/null; }
service_runs() { [[ -d /proc/$running ]]; }
service_log() { cat "$log"; }

service_stop() {
    local deadline=$((SECONDS + 20))
    service_signal "${facts[2]}"
    while service_runs && ((SECONDS < deadline)); do sleep 0.2; done
    service_runs && service_signal KILL
    local process=$running
    running=
    wait "$process"
}

engine_clean() {
    [[ -z ${running:-} ]] || service_signal KILL || true
    [[ -z ${instance:-} ]] || buildah rm "$instance" >/dev/null || true
}

unchecked() {
    echo "not checked without a Docker engine: limits of cgroups, Docker's seccomp profile, its"
    echo "network and published ports, its own timing of HEALTHCHECK, the real base image, compose"
}
