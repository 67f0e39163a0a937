#!/usr/bin/env bash
# Build the image, start it, and let it hear a word:  bash tools/check_image.sh
#
# With a Docker engine, or without one with buildah, as root (apt-get install buildah debootstrap).
# Packages come from where this machine's pip gets them. WAKEWORD_IMAGE_STORAGE names the folder
# that keeps the images of buildah (about 2 GB).
set -euo pipefail
cd "$(dirname "$0")/.."

image=wakeword-check
work=$(mktemp -d)
if docker info >/dev/null 2>&1; then
    source tools/image/docker.sh
elif command -v buildah >/dev/null; then
    source tools/image/chroot.sh
else
    echo "error: neither a Docker engine nor buildah is here" >&2
    exit 2
fi

finish() {
    local code=$?
    trap - EXIT
    ((code == 0)) || [[ -z ${building:-} ]] || tail -n 40 "$work/build.log" >&2
    ((code == 0)) || [[ -z ${running:-} ]] || service_log >&2 || true
    engine_clean
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

say() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

build() {
    local folders
    mapfile -t folders < <(python3 tools/pip_secret.py "$work")
    build_arguments=(
        --secret "id=pip,src=$work/pip.conf" --secret "id=ca,src=$work/ca.pem"
        --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)"
        --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
    )
    building=yes
    engine_build "${folders[@]}" >"$work/build.log" 2>&1
    building=
}

check_contents() {
    contained sh -c '
        for program in cc c++ gcc g++ clang make ld cargo; do
            ! command -v $program || { echo "holds the compiler $program"; exit 1; }
        done
        found=$(find / -xdev \( -path "*-packages/torch*" -o -path "*/.cache/pip" -o -path /wheels \
            -o -path /source -o -path /build -o -path "/opt/*-packages/pip" \) -prune 2>/dev/null)
        [ -z "$found" ] || { echo "holds $found"; exit 1; }
        ! python3 -c "import torch" 2>/dev/null || { echo "imports torch"; exit 1; }
        [ "$(id -u):$(id -g)" = 10001:10001 ] || { echo "runs as $(id)"; exit 1; }
        ! touch /opt/wakeword/x /etc/x /var/x /x 2>/dev/null || { echo "writable root"; exit 1; }
        grep -q "^CapEff:.*0000000000000000$" /proc/self/status || { echo "capable"; exit 1; }
        grep -q "^NoNewPrivs:.*1$" /proc/self/status || { echo "may gain privileges"; exit 1; }
    ' || fail "the image $(contained id 2>&1)"
    contained wakeword models >"$work/models" || fail "the models are not inside"
}

wait_healthy() {
    local deadline=$((SECONDS + 120))
    until service_health; do
        service_runs || fail "the service ended while it started"
        ((SECONDS < deadline)) || fail "not healthy after 120 s"
        sleep 1
    done
}

check_refusals() {
    ! contained wakeword serve >"$work/refused" 2>&1 || fail "it started without a key"
    grep -q "wakeword keys add" "$work/refused" || fail "no word of how to make a key"
}

# The words that a command hears in the sample, in order, each on a line: hear COMMAND...
hear() { contained "$@" --json /mnt/samples/words.flac | sed 's/.*"keyword": "\([^"]*\)".*/\1/'; }

say "engine: $(engine_name)"
build
say "built: $image"
check_contents
say "contents: no compiler, no torch, user 10001, read-only root, no capabilities"
check_refusals
say "without a key it does not start"
key=$(contained wakeword keys add check --scope stream --scope read 2>/dev/null)
service_start
wait_healthy
say "healthy"
client=(wakeword stream --url "ws://127.0.0.1:${port:-8765}" --give-up 0)
hear env WAKEWORD_KEY="$key" "${client[@]}" >"$work/heard"
hear wakeword detect >"$work/offline"
[[ -s $work/heard ]] || fail "no word was heard"
cmp "$work/heard" "$work/offline" || fail "the service hears other words than 'wakeword detect'"
say "heard: $(paste -sd, "$work/heard")"
! hear "${client[@]}" >/dev/null 2>&1 || fail "it listened without a key"
say "without a key nobody is heard"
service_stop || fail "it ended with exit code $? at its stop signal"
say "stopped cleanly"
unchecked
say "ok"
