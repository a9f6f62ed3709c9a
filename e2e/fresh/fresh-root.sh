#!/usr/bin/env bash
# Runs commands on a clone of this repository in a bare Debian 12 root: nothing but make, git, certificates, the
# machine's Node.js with npm, and its Go. It proves that the README's commands install all they need.
#
#   e2e/fresh/fresh-root.sh new            makes the root (or makes it anew) under ~/.cache/herald/fresh
#   e2e/fresh/fresh-root.sh run CMD...     runs CMD in the clone; what it caches stays in the root for the next run
#   e2e/fresh/fresh-root.sh remove         removes the root
#
# The registries are those of the machine: its settings of apt, npm and Go are copied, never written down here.
set -eu -o pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
root=${HERALD_FRESH_ROOT:-$HOME/.cache/herald/fresh/root}

need() { command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2"; } }

new_root() {
  need mmdebstrap mmdebstrap
  remove_root
  mkdir -p "$(dirname "$root")"
  mmdebstrap --quiet --variant=minbase --mode=root --aptopt='APT::Install-Recommends "false"' \
    --include=make,git,ca-certificates bookworm "$root" \
    "$(ls /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -n 1)"
  local node npm go
  node=$(readlink -f "$(command -v node)") npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")") go=$(go env GOROOT)
  mkdir -p "$root/usr/lib/node_modules" "$root/usr/local" "$root/root/.config/go"
  install -m 755 "$node" "$root/usr/bin/node"
  # The runtime's own libraries, where the binary does not carry them.
  ldd "$node" | grep -oE '/[^ ]+libstdc\+\+[^ ]*' | xargs -r -I{} cp -L {} "$root/usr/lib/"
  cp -a "$npm" "$root/usr/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  cp -a "$go" "$root/usr/local/go"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  cp -L /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp -L "$HOME/.npmrc" "$root/root/.npmrc" 2>/dev/null || true
  npm config get registry >/dev/null 2>&1 && echo "registry=$(npm config get registry 2>/dev/null)" >>"$root/root/.npmrc"
  go env | grep -E '^(GOPROXY|GOSUMDB|GOFLAGS|GONOSUMDB)=' | tr -d "'" >"$root/root/.config/go/env"
  git clone --quiet "$repository" "$root/herald"
}

remove_root() {
  if grep -q " $root" /proc/mounts; then echo "$root is in use: end what runs in it first" >&2; exit 2; fi
  rm -rf "$root"
}

run_in_root() {
  [ -d "$root/herald" ] || new_root
  git -C "$root/herald" fetch --quiet "$repository" HEAD
  git -C "$root/herald" reset --quiet --hard FETCH_HEAD
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  export root command="$*"
  # A root of its own by pivot_root, not chroot: container engines refuse a root that is no mount point.
  unshare --mount --pid --fork --kill-child -- bash -eu -c '
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mkdir -p "$root/.old"
    cd "$root"
    pivot_root . .old
    umount -l /.old
    exec env -i HOME=/root USER=root TERM="${TERM:-dumb}" CI="${CI:-}" LANG=C.UTF-8 \
      SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
      PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      bash -c "cd /herald && $command"
  '
}

case ${1:-} in
  new) new_root ;;
  run) shift; run_in_root "$@" ;;
  remove) remove_root ;;
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
