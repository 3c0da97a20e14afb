import { quote } from './shell.ts';

/**
 * How commands reach their namespace.
 * - `node-pod`: our own privileged pod; host namespaces, and any pod's network namespace through a process of it.
 * - `host-network-pod`: a hostNetwork pod that is already there; the node's network namespace only.
 * - `client-pod`: the pod itself; its own namespace and its own tools only.
 */
export type Tier = 'node-pod' | 'host-network-pod' | 'client-pod';

/** A network namespace in a script: the node's, or that of a pod, known by its container ids. */
export interface Namespace {
  /** `host`, or a name that is unique in the script. */
  name: string;
  containerIds: string[];
}

/**
 * Shell functions of every section. `t TOOL ARGS…` runs a tool in namespace $NS: the image's own tool, else the node's
 * (`nsenter --mount`), so that a slim image will do. `has TOOL` tells whether either has it.
 */
export function prelude(tier: Tier): string {
  return [...(tier === 'node-pod' ? nodePodFunctions : plainFunctions), ...common].join('\n');
}

/** What a script runs before its sections; `more` behind the rest. */
export const functionsOf = (
  tier: Tier,
  namespaces: readonly Namespace[],
  ...more: readonly string[]
): { prelude: string; setup: string } => ({ prelude: prelude(tier), setup: [setup(tier, namespaces), ...more].join('\n') });

/** Tools that a section may call; looked for once, in the image and then on the node. */
const tools =
  'iptables-nft-save iptables-legacy-save iptables-save ip6tables-nft-save ip6tables-save nft ip bridge conntrack ss nstat ipset ipvsadm nc curl wget bash dig nslookup ping grep awk sed cat head ls timeout tcpdump base64 tc';

/**
 * Run once before the sections: finds, for each pod, a process whose /proc/PID/cgroup names one of its container ids, and which tools the image
 * lacks and the node has. What it finds is appended to the prelude as assignments.
 */
export function setup(tier: Tier, namespaces: readonly Namespace[]): string {
  if (tier !== 'node-pod') return '';
  return [
    `own=; lacks=; for c in ${tools}; do if command -v "$c" >/dev/null 2>&1; then own="$own $c"; else lacks="$lacks $c"; fi; done`,
    'theirs=; [ -n "$lacks" ] && theirs=$(nsenter --mount=/proc/1/ns/mnt -- sh -c \'for c in "$@"; do command -v "$c" >/dev/null 2>&1 && printf " %s" "$c"; done\' sh $lacks 2>/dev/null)',
    'printf "own=\'%s \'; theirs=\'%s \'\\n" "$own" "$theirs" >>"$W/prelude"',
    'case "$own " in *" nc "*) nc -h 2>&1 | grep -qi openbsd && echo "openbsd=1" >>"$W/prelude";; esac',
    ...namespaces.filter((ns) => ns.containerIds.length > 0).map(findProcess),
  ].join('\n');
}

const findProcess = (ns: Namespace): string =>
  `for f in $(grep -lsF ${ns.containerIds.map((id) => `-e ${quote(id)}`).join(' ')} /proc/[0-9]*/cgroup); do p=\${f#/proc/}; p=\${p%/cgroup}; [ -e "/proc/$p/ns/net" ] && { echo "pid_${ns.name}=$p" >>"$W/prelude"; break; }; done`;

const plainFunctions = [
  't() { "$@"; }',
  'reach() { :; }',
  'has() { command -v "$1" >/dev/null 2>&1; }',
  'podfile() { cat "$1"; }',
  'node_root=',
];

const nodePodFunctions: string[] = [
  'node_root=/proc/1/root',
  'has() { case "$own$theirs" in *" $1 "*) return 0;; esac; return 1; }',
  'pod_pid() { eval "p=\\${pid_$NS:-}"; [ -n "$p" ] || { echo "k8snet: no process of this pod was found on the node" >&2; return 1; }; }',
  // Whether the namespace can be entered at all: where it can't, a probe was not made, which is another thing than a probe that failed.
  'reach() { [ "$NS" = host ] || { pod_pid && nsenter --net="/proc/$p/ns/net" -- true; }; }',
  't() { case "$NS:$own" in host:*" $1 "*) "$@";; host:*) nsenter --mount=/proc/1/ns/mnt -- "$@";; *" $1 "*) pod_pid || return 125; nsenter --net="/proc/$p/ns/net" -- "$@";; *) pod_pid || return 125; nsenter --net="/proc/$p/ns/net" --mount=/proc/1/ns/mnt -- "$@";; esac; }',
  'podfile() { if [ "$NS" = host ]; then cat "/proc/1/root$1"; else pod_pid || return 125; cat "/proc/$p/root$1"; fi; }',
];

/** `uptime` centiseconds stand in for a clock: BusyBox date has no %N. */
const common = [
  'now() { read -r up _ </proc/uptime; up=${up%.*}${up#*.}; echo "$up"; }',
  // tries N COMMAND…: N tries at once; each prints `k8snet-try I rc=R cs=CENTISECONDS` and then what it printed.
  'one() { i=$1; shift; a=$(now); out=$("$@" 2>&1); r=$?; b=$(now); printf "k8snet-try %s rc=%s cs=%s\\n%s\\n" "$i" "$r" "$((b-a))" "$out"; }',
  'tries() { reach || exit 125; n=$1; shift; i=1; while [ "$i" -le "$n" ]; do one "$i" "$@" >"$W/try.$$.$i" 2>&1 & i=$((i+1)); done; wait; i=1; while [ "$i" -le "$n" ]; do cat "$W/try.$$.$i"; rm -f "$W/try.$$.$i"; i=$((i+1)); done; }',
  // tcp IP PORT LIMIT: one connect by the first tool that tells refused, unreachable and timed out apart.
  'tcp() { case "$1" in *:*) u="[$1]";; *) u=$1;; esac; if has nc && { [ -n "$openbsd" ] || { t nc -h 2>&1 | grep -qi openbsd; }; }; then echo "tool=nc"; t nc -vzn -w "$3" "$1" "$2"; elif has bash; then echo "tool=bash"; t timeout "$3" bash -c \'exec 3<>"/dev/tcp/$0/$1"\' "$1" "$2"; elif has curl; then echo "tool=curl"; t curl -sv -o /dev/null --connect-timeout "$3" -m "$3" "telnet://$u:$2"; elif has nc; then echo "tool=nc"; t nc -vz -w "$3" "$1" "$2"; elif has wget; then echo "tool=wget"; t wget -T "$3" -O /dev/null "http://$u:$2/"; else echo "k8snet: no tool that can connect (nc, bash, curl, wget)" >&2; return 127; fi; }',
  // http SCHEME IP PORT LIMIT: connect, ask for /, and wait for the first bytes. nc where it will do: curl costs ten times its CPU.
  'http() { case "$2" in *:*) u="[$2]";; *) u=$2;; esac; if [ "$1$openbsd" = http1 ]; then echo "tool=nchttp"; printf "GET / HTTP/1.0\\r\\nHost: %s\\r\\nUser-Agent: k8snet\\r\\nConnection: close\\r\\n\\r\\n" "$u" | t nc -vn -w "$4" "$2" "$3" 2>&1 | head -n 4 | head -c 600; elif has curl; then echo "tool=curl"; t curl -skv -o /dev/null --connect-timeout "$4" -m "$(($4+2))" -w "k8snet-curl code=%{http_code} connect=%{time_connect} first=%{time_starttransfer} size=%{size_download} local=%{local_port}\\n" "$1://$u:$3/"; else tcp "$2" "$3" "$4"; fi; }',
  // digs SERVER NAME COUNT LIMIT: the same question several times, each from a socket of its own, by one process.
  'digs() { if has dig; then q=; j=0; while [ "$j" -lt "$3" ]; do q="$q @$1 $2 A"; j=$((j+1)); done; echo "tool=dig"; t dig +tries=1 "+time=$4" +noedns $q; else dns "$1" "$2" A "$4"; fi; }',
  // dns SERVER NAME TYPE LIMIT
  'dns() { if has dig; then echo "tool=dig"; t dig +tries=1 "+time=$4" +noedns "@$1" "$2" "$3"; elif has nslookup; then echo "tool=nslookup"; t timeout "$(($4+1))" nslookup "-type=$3" "$2" "$1"; else echo "k8snet: no tool that can ask a DNS server (dig, nslookup)" >&2; return 127; fi; }',
  // lookup NAME LIMIT: what a resolver makes of the name with the resolv.conf of $NS (resolv.conf(5): ndots, search, nameserver in order).
  'lookup() { reach || exit 125; conf=$(podfile /etc/resolv.conf) || return; servers=$(printf "%s\\n" "$conf" | awk \'$1=="nameserver"{print $2}\' | head -3); search=$(printf "%s\\n" "$conf" | awk \'$1=="search"||$1=="domain"{$1="";s=$0}END{print s}\'); nd=$(printf "%s\\n" "$conf" | sed -n \'s/.*ndots:\\([0-9]*\\).*/\\1/p\' | tail -1); [ -n "$nd" ] || nd=1; dots=$(printf "%s" "$1" | tr -cd . | wc -c); list=; for s in $search; do list="$list $1.$s"; done; if [ "$dots" -ge "$nd" ]; then list="$1 $list"; else list="$list $1"; fi; case "$1" in *.) list=$1;; esac; for c in $list; do for s in $servers; do printf "k8snet-query name=%s server=%s\\n" "$c" "$s"; a=$(now); out=$(dns "$s" "$c" A "$2" 2>&1); r=$?; b=$(now); printf "%s\\nk8snet-answer rc=%s cs=%s\\n" "$out" "$r" "$((b-a))"; case "$out" in *"no tool that can ask"*) return 127;; esac; if printf "%s\\n" "$out" | grep -Eq "status: (NOERROR|NXDOMAIN)|^Name:|NXDOMAIN"; then break; fi; done; if printf "%s\\n" "$out" | grep -Eq "^[^;].*[[:space:]]IN[[:space:]]+(A|CNAME|AAAA)[[:space:]]|^Name:"; then return 0; fi; done; return 0; }',
];
