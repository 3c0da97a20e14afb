#!/bin/bash
# cluster.sh — a real Kubernetes cluster on one Linux machine, in network namespaces, and known ways to break it.
#   build             make what it needs (Kubernetes and the rest, from their Go modules); about 10 minutes, once for a machine
#   up | down         start (about a minute) and remove it       status   is it up, is it healthy, what is broken on purpose
#   faults            every fault with its truth                 truth ID   layer|check|where
#   break ID          make fault ID, and wait until the client sees it        mend ID    take it back, and wait until all is well
#   verify ID…        for each: healthy, broken, seen by the client, mended; a line each       heal   back to healthy, whatever happened
#   kubectl ARGS…     as cluster administrator                   shell NODE
#   node NODE CMD…    in a node's namespaces (n1, n2, n3)        host HOST CMD…   in its network namespace only (also cp)
# Settings: MODE=iptables|nftables (kube-proxy), BACKEND=vxlan|host-gw (flannel), NODES=3, MTU=1500; PREFIX=k8snet (of the network namespaces),
# STATE=/tmp/$PREFIX-cluster, BIN=~/.cache/k8snet-cluster. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine cannot do it.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source-path=SCRIPTDIR
for f in settings control-plane nodes; do . "$HERE/lib/$f.sh"; done

main() {
  local command=${1:-}; shift || true
  case $command in
    build) exec "$HERE/build.sh";;
    up) can_run; up;;
    down) can_run; down;;
    status) can_run; status;;
    kubectl | k) running; kubectl "$@";;
    node) running; node "${1:?which node?}" "${@:2}";;
    host) running; host "${1:?which host?}" "${@:2}";;
    shell) running; node "${1:?which node?}" env PS1="$PREFIX-$1# " bash --norc -i;;
    faults) exec "$HERE/faults.sh" list "$@";;
    truth) exec "$HERE/faults.sh" truth "$@";;
    break | mend | verify | heal) running; exec "$HERE/faults.sh" "$command" "$@";;
    help | -h | --help) usage;;
    *) usage >&2; exit 2;;
  esac
}
usage() { sed -n '2,11s/^# \{0,1\}//p' "$HERE/cluster.sh"; }
can_run() {
  [ "$(uname -s)" = Linux ] || cannot "needs Linux: network namespaces are its ground"
  [ "$(id -u)" = 0 ] || cannot "needs root (sudo): it makes network namespaces and mounts"
  case $MODE in iptables | nftables) ;; *) say "MODE is iptables or nftables, not '$MODE'"; exit 2;; esac
  case $BACKEND in vxlan | host-gw) ;; *) say "BACKEND is vxlan or host-gw, not '$BACKEND'"; exit 2;; esac
}
running() { can_run; is_up || cannot "no cluster is up under PREFIX=$PREFIX: npm run cluster -- up"; }
built() {
  local f; for f in bin/kube-apiserver bin/kubelet bin/etcd bin/containerd bin/coredns bin/flannel rootfs/.done; do
    [ -e "$BIN/$f" ] || cannot "$BIN/$f is missing: npm run cluster -- build"; done
  for f in ip nsenter iptables runc openssl python3 jq envsubst; do command -v "$f" >/dev/null || cannot "the command $f is missing: npm run cluster -- build"; done
}
up() {
  built
  if is_up; then
    case $ASKED in / | "$MODE/" | "/$BACKEND" | "$MODE/$BACKEND") say "is up already (MODE=$MODE BACKEND=$BACKEND)"; return;; esac
    fail "a cluster with MODE=$MODE BACKEND=$BACKEND is up already: npm run cluster -- down"
  fi
  if [ -e "$(netns cp)" ] || [ -e "$STATE/settings" ]; then down; fi # what a killed run left
  trap 'say "up failed; logs are in $STATE/cp and $STATE/n*/log"' ERR; set -E
  mkdir -p "$STATE"; declare -p MODE BACKEND NODES MTU PODMTU | sed 's/^declare -[^ ]* //' >"$STATE/settings"
  pki; image; hosts; control_plane
  for i in $(node_numbers); do start_node "$i"; done; nodes_ready
  for m in kube-proxy flannel coredns; do apply $m; done
  kubectl wait --for=condition=Ready node --all --timeout=120s >/dev/null
  apply my-service
  kubectl rollout status -n kube-system deploy/coredns --timeout=120s >/dev/null; kubectl rollout status deploy/web --timeout=120s >/dev/null
  kubectl wait --for=condition=Ready pod/client --timeout=60s >/dev/null
  trap - ERR; status
}
down() {
  local p i
  for i in "$STATE"/n[0-9]; do p=$(pid_of "${i##*/}" "$i/pid") && kill -9 "$p"; done 2>/dev/null || true # with its pid namespace everything in it ends
  for i in "$STATE"/cp/*.pid; do p=$(pid_of cp "$i") && kill -9 "$p"; done 2>/dev/null || true
  [ -e "$(netns cp)" ] && sleep 1
  for i in $(ip netns list 2>/dev/null | grep -oE "^$PREFIX-(cp|n[0-9])( |$)" || true); do ip netns del "$i"; done
  remove_cgroups
  rm -rf "$STATE"/{etcd,cp,pki,settings,broken} "$STATE"/n[0-9] "$STATE"/*.{conf,log,in,pid} "$STATE"/place.* "$STATE/vtep-mac"
  rmdir "$STATE" 2>/dev/null || true
}
status() {
  is_up || { say "down (PREFIX=$PREFIX)"; exit 1; }
  echo "up: MODE=$MODE BACKEND=$BACKEND PREFIX=$PREFIX STATE=$STATE; broken on purpose: $(cat "$STATE/broken" 2>/dev/null | tr '\n' ' ' || true)"
  kubectl get nodes -o wide; kubectl get pods -A -o wide
}
main "$@"
