# settings.sh — what the other files share: where things are, and how a command gets to a host, a node or the API. Sourced.
PREFIX=${PREFIX:-k8snet}                    # network namespaces are $PREFIX-cp, $PREFIX-n1…; two clusters need two prefixes
STATE=${STATE:-/tmp/$PREFIX-cluster}        # everything that one cluster writes
BIN=${BIN:-$HOME/.cache/k8snet-cluster}     # what build.sh made; shared by all clusters
KBIN=$BIN/bin ROOTFS=$BIN/rootfs
export PREFIX STATE BIN PATH=$KBIN:$PATH
[ "${MODE:-}" != test ] || MODE= # vitest's own variable of that name
ASKED="${MODE:-}/${BACKEND:-}"
MODE=${MODE:-iptables}                      # kube-proxy: iptables | nftables
BACKEND=${BACKEND:-vxlan}                   # flannel: vxlan | host-gw
NODES=${NODES:-3}                           # at most 9: node N is 192.168.1.1N
MTU=${MTU:-1500} PODMTU=${PODMTU:-1450}     # of the underlay and of the pods
PODNET=10.244 SVCNET=10.96.0.0/16 DNS=10.96.0.10

say() { echo "cluster: $*" >&2; }
cannot() { say "$*"; exit 3; }              # this machine (or its state) does not allow it; nothing was changed
fail() { say "$*"; exit 1; }

netns() { echo "/var/run/netns/$PREFIX-$1"; }
host() { nsenter --net="$(netns "$1")" "${@:2}"; }                    # HOST CMD…: in the network namespace of cp, n1…
node() { local n=$1; shift; nsenter -t "$(node_pid "$n")" -n -m -p -u -- "$@"; } # NODE CMD…: in all of the node's namespaces
kubectl() { host cp env KUBECONFIG="$STATE/admin.conf" "$KBIN/kubectl" "$@"; }
# A pid file outlives its process, and the kernel gives the number to somebody else: a pid counts only while it runs in this cluster.
pid_of() { # HOST PIDFILE: the pid, if it lives in HOST's network namespace
  local pid; pid=$(cat "$2" 2>/dev/null) || return 1
  [ "$(stat -Lc %i "/proc/$pid/ns/net" 2>/dev/null)" = "$(stat -Lc %i "$(netns "$1")" 2>/dev/null)" ] && echo "$pid"
}
node_pid() { pid_of "$1" "$STATE/$1/pid" || fail "node $1 is not running"; }
is_up() { pid_of cp "$STATE/cp/kube-apiserver.pid" >/dev/null; }
node_numbers() { seq "$NODES"; }
# A running cluster's own settings win, so that nothing but `up` needs MODE= and BACKEND=.
# shellcheck disable=SC1091
if is_up; then . "$STATE/settings"; fi
