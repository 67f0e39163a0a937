#!/usr/bin/env bash
# Be process 1 of a container: enter.sh ROOT STATE SAMPLES UID GID FOLDER NAME=VALUE... -- COMMAND
# Run as root in mount and process namespaces of its own, it makes the root read-only, /tmp one in
# memory, gives up every capability and becomes the image's user.
set -euo pipefail
root=$1 state=$2 samples=$3 user=$4 group=$5 folder=$6
shift 6
environment=()
while [[ $1 != -- ]]; do environment+=("$1"); shift; done
shift

place=$(mktemp -d)
mount --bind "$root" "$place"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$place/tmp"
mount --bind "$state" "$place/var/lib/wakeword"
mount -t proc -o nosuid,nodev,noexec proc "$place/proc"
mount -t tmpfs -o mode=755 tmpfs "$place/dev"
for device in null zero random urandom; do
    touch "$place/dev/$device"
    mount --bind "/dev/$device" "$place/dev/$device"
done
mount -t tmpfs -o mode=755 tmpfs "$place/mnt"
mkdir "$place/mnt/samples"
mount --bind "$samples" "$place/mnt/samples"
mount -o remount,bind,ro "$place/mnt/samples"
mount -o remount,bind,ro "$place"
exec chroot "$place" setpriv --reuid="$user" --regid="$group" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all \
    env -i "${environment[@]}" sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
