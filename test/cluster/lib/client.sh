# client.sh — what pod default/client sees. Commands run in the pod's namespaces from its node, so that they work when exec does not. Sourced.
# Targets: svc (by ClusterIP), name (by Service name), outside (www.example.com), n1, n2, n3 (the endpoint on that node, by its pod IP).
container_pid() { # NAMESPACE/POD: the pid, in its node's numbering, of the container's first process
  local id node; read -r id node < <(kubectl get pod -n "${1%/*}" "${1#*/}" -o jsonpath='{.status.containerStatuses[0].containerID} {.spec.nodeName}')
  # shellcheck disable=SC2016 # the glob is the node's /proc, not ours
  node "$node" sh -c 'grep -ls "$1" /proc/[0-9]*/cgroup' sh "${id#containerd://}" 2>/dev/null | sort -t/ -k3n | head -1 | cut -d/ -f3
}
in_pod() { # NAMESPACE/POD CMD…: in the pod's network namespace, with the node's programs
  local node pid; node=$(kubectl get pod -n "${1%/*}" "${1#*/}" -o jsonpath='{.spec.nodeName}'); pid=$(container_pid "$1") || return
  node "$node" nsenter -t "$pid" -n -- "${@:2}"
}
declare -A ADDRESS=()
look() { # once for many requests: the addresses that targets stand for, and the client's process
  local name address; ADDRESS=(); client_pid=
  while read -r name address; do ADDRESS[$name]=$address; done < <(kubectl get pods,svc -n default -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null)
    | if .kind == "Service" and .metadata.name == "my-service" then "svc \(.spec.clusterIP)"
      elif .metadata.labels.app == "web" and .status.podIP then "\(.spec.nodeName) \(.status.podIP)"
      elif .metadata.name == "client" then "client \(.status.containerStatuses[0].containerID | ltrimstr("containerd://"))" else empty end')
  client_pid=$(node n1 sh -c 'grep -ls "$1" /proc/[0-9]*/cgroup' sh "${ADDRESS[client]:-none}" 2>/dev/null | sort -t/ -k3n | head -1 | cut -d/ -f3)
}
client() { # CMD…: in the client container's namespaces, with the image's programs
  [ -n "${client_pid:-}" ] || look
  node n1 nsenter -t "$client_pid" -n -m -- "$@"
}
endpoint_pod() { kubectl get pods -l app=web -o json | jq -r --arg n "$1" '[.items[] | select(.spec.nodeName == $n and .metadata.deletionTimestamp == null) | .metadata.name][0]'; }
endpoint() { kubectl get pods -l app=web -o json | jq -r --arg n "$1" '[.items[] | select(.spec.nodeName == $n and .metadata.deletionTimestamp == null) | .status.podIP][0]'; }
cluster_ip() { kubectl get svc my-service -o jsonpath='{.spec.clusterIP}'; }
dns_pod() { kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath="{.items[${1:-0}].metadata.name}"; }

url() {
  [ ${#ADDRESS[@]} -gt 0 ] || look
  case $1 in svc) echo "http://${ADDRESS[svc]}/";; name) echo http://my-service/;; outside) echo http://www.example.com/;; external) echo http://my-external/;; n[0-9]) echo "http://${ADDRESS[$1]:-no-endpoint.invalid}:8080/";; *) echo "$1";; esac
}
request() { # TARGET [PATH]: prints curl's exit code (0 answer, 6 no such name, 7 refused or unreachable, 28 timed out) and the seconds it took
  client curl -s -o /dev/null -m "${patience:-3}" -w '%{exitcode} %{time_total}' "$(url "$1")${2:-}" || true
}
answers() { [[ $(request "$@") == 0\ * ]]; }
times_out() { [[ $(request "$@") == 28\ * ]]; }
refused() { [[ $(request "$@") == 7\ [01].* ]]; }               # at once: a reset or an ICMP error
unreachable() { local patience=5; [[ $(request "$@") == 7\ [2-4].* ]]; } # after three ARP or neighbour tries
fails() { ! answers "$@"; }
sometimes() { # TARGET: of 12 new connections some get an answer and some do not
  local patience=1 good=0 i; for i in $(seq 12); do if answers "$1"; then good=$((good + 1)); fi; done; [ $good -gt 0 ] && [ $good -lt 12 ]
}
resolves() { client getent ahostsv4 "${1:-my-service}" >/dev/null; }
unresolvable() { ! resolves "$@"; }
dig_status() { # NAME [DIG-OPTIONS]: NOERROR, NXDOMAIN, SERVFAIL…; empty when nobody answers
  client dig +time=1 +tries=1 "$@" 2>&1 | sed -nE 's/.*status: ([A-Z]+),.*/\1/p'
}
healthy() { # everything a client can ask of this cluster is answered; says what is not
  local n i why
  kubectl wait --for=condition=Ready node --all --timeout=30s >/dev/null 2>&1 || { echo "a node is not Ready"; return 1; }
  kubectl wait --for=condition=Ready pod --all -A --timeout=40s >/dev/null 2>&1 || { echo "a pod is not Ready"; return 1; }
  look
  for i in $(node_numbers); do
    why=$(cross_check "n$i") || { echo "$why"; return 1; }; done
  for i in 1 2 3; do answers name || { echo "no answer from my-service"; return 1; }; done
  for i in 1 2 3 4 5 6; do answers svc || { echo "no answer from the ClusterIP"; return 1; }; done
  for i in $(kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[*].status.podIP}'); do
    [ "$(dig_status my-service.default.svc.cluster.local "@$i")" = NOERROR ] || { echo "DNS server $i does not know my-service"; return 1; }; done
  answers outside || { echo "no answer from www.example.com"; return 1; }
  answers external || { echo "no answer from my-external"; return 1; }
}
cross_check() { # NODE: its endpoint answers, also at length
  local big; answers "$1" || { echo "no answer from the endpoint on $1"; return 1; }
  big=$(client curl -s -m 4 "$(url "$1")big" | wc -c); [ "$big" = 200000 ] || { echo "$big of 200000 bytes from the endpoint on $1"; return 1; }
}
