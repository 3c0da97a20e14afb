#!/bin/bash
# build.sh — makes what cluster.sh needs, once for a machine: Kubernetes, CoreDNS, etcd, containerd and flannel from their Go modules
# (modules/*/go.mod and go.sum pin them), runc and the CNI plug-ins from Debian, and a root file system that every container runs from.
# About 10 minutes on 2 cores the first time, seconds afterwards. Needs root, Go >= 1.26, Debian. BIN=~/.cache/k8snet-cluster
set -euo pipefail
cannot() { echo "build: $*" >&2; exit 3; }
[ "$(uname -s)" = Linux ] || cannot "needs Linux"
[ "$(id -u)" = 0 ] || cannot "needs root (sudo): it installs packages and makes a root file system"
command -v apt-get dpkg-query >/dev/null || cannot "needs Debian or Ubuntu: runc, the CNI plug-ins and the images' root file system are Debian's"
command -v go >/dev/null || cannot "needs Go 1.26 or later: Kubernetes, CoreDNS, etcd, containerd and flannel are built from their modules"
cd "$(dirname "$0")"; BIN=${BIN:-$HOME/.cache/k8snet-cluster}; mkdir -p "$BIN/bin"
exec 9>"$BIN/build.lock"; flock -n 9 || cannot "another build is running"
need=(gcc libc6-dev runc containernetworking-plugins debootstrap iproute2 iptables nftables conntrack tcpdump ipset ethtool jq openssl python3 gettext-base)
missing=(); for p in "${need[@]}"; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
[ ${#missing[@]} = 0 ] || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; }
install_tools() ( # DIRECTORY [LDFLAGS] — the commands that its go.mod names as tools; CGO=1 where one needs C
  cd "modules/$1"; stamp=$BIN/$1.$( (echo "$*"; cat go.mod go.sum) | sha256sum | cut -c1-16); [ -e "$stamp" ] && return
  echo "building $1"; CGO_ENABLED=${CGO:-0} GOBIN=$BIN/bin go install -trimpath -tags netgo,osusergo -ldflags "-s -w ${2:-}" tool; touch "$stamp" )
v=$(cd modules/kubernetes && go list -m -f '{{.Version}}' k8s.io/kubernetes); c=k8s.io/component-base/version
install_tools kubernetes "-X $c.gitVersion=$v -X $c.gitMajor=1 -X $c.gitMinor=$(cut -d. -f2 <<<"$v")"
for m in coredns etcd containerd; do install_tools $m; done
install_tools kubectl-1.29 "-X $c.gitVersion=v1.29.15 -X $c.gitMajor=1 -X $c.gitMinor=29" # an older kubectl beside the cluster's own
CGO=1 install_tools flannel "-extldflags -static"
[ ! -e "$BIN/bin/server" ] || mv "$BIN/bin/server" "$BIN/bin/etcd" # etcd's main package is called server
if [ ! -e "$BIN/rootfs/.done" ]; then rm -rf "$BIN/rootfs"
  debootstrap --variant=minbase --include=iproute2,iptables,nftables,conntrack,tcpdump,bind9-dnsutils,curl,iputils-ping,iputils-tracepath,netcat-openbsd,procps,ethtool,ipset,kmod,busybox-static,traceroute,ca-certificates,jq trixie "$BIN/rootfs" >"$BIN/debootstrap.log" || { tail -3 "$BIN/debootstrap.log" >&2; exit 1; }
  touch "$BIN/rootfs/.done"; fi
ls "$BIN/bin"
