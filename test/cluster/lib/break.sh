# break.sh — what the faults under faults/ break with, and how it is put right again. Sourced.
vtep_mac() { host "$1" ip -o link show flannel.1 | sed -E 's/.*link.ether ([^ ]+).*/\1/'; }
set_vtep_mac() { # NODE MAC: and what the kernel forgets with it, the permanent neighbours
  local neigh ip mac; neigh=$(host "$1" ip neigh show dev flannel.1 nud permanent); host "$1" ip link set flannel.1 address "$2"
  while read -r ip _ mac _; do host "$1" ip neigh replace "$ip" lladdr "$mac" dev flannel.1 nud permanent; done <<<"$neigh"
}
nft_on() { host "$1" chroot "$ROOTFS" nft "${@:2}"; } # the images' nft: Debian 12's 1.0.6 crashes on what kube-proxy's 1.1.3 wrote
mode_is() { [ "$MODE" = "$1" ]; }
place() { echo "$*" >"$STATE/place.$ID"; } # the exact place of this fault, where only inject knows it (a pod's name, a veth)

pids_on() { # HOST NAME…: processes of these names in HOST's network namespace
  local want p name; want=$(stat -Lc %i "$(netns "$1")"); shift
  for name in "$@"; do for p in $(pgrep -x "${name:0:15}"); do [ "$(stat -Lc %i "/proc/$p/ns/net" 2>/dev/null)" = "$want" ] && echo "$p"; done; done; true
}
freeze() { local p; p=$(pids_on "$@"); [ -n "$p" ] && kill -STOP $p; }
thaw() { local p; p=$(pids_on "$@"); [ -z "$p" ] || kill -CONT $p; }
stop_proxy_sync() { freeze "$1" kube-proxy; } # so that it does not repair what is broken next
fresh_agent() { # NODE kube-proxy|flannel: a new pod of it, which programs the node anew
  local where; case $2 in kube-proxy) where=(-n kube-system -l k8s-app=kube-proxy);; flannel) where=(-n kube-flannel -l app=flannel);; esac
  thaw "$1" "$2"; kubectl delete pod "${where[@]}" --field-selector "spec.nodeName=$1" --grace-period=1
  sleep 2; for _ in $(seq 20); do kubectl wait "${where[@]}" --for=condition=Ready pod --field-selector "spec.nodeName=$1" --timeout=40s && break; sleep 1; done; sleep 2
}
web_ready() { kubectl rollout status deploy/web --timeout=90s; }
dns_ready() { kubectl rollout status -n kube-system deploy/coredns --timeout=90s; }
new_client() { # [JSON-MEMBERS,]: the client pod anew, with these members in its spec
  kubectl delete pod client --grace-period=0 --force --ignore-not-found
  kubectl create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"client\",\"labels\":{\"app\":\"client\"}},\"spec\":{${1:-}\"nodeName\":\"n1\",\"terminationGracePeriodSeconds\":1,\"containers\":[{\"name\":\"c\",\"image\":\"docker.io/nicolaka/netshoot:latest\",\"imagePullPolicy\":\"IfNotPresent\",\"command\":[\"sleep\",\"infinity\"]}]}}"
  kubectl wait --for=condition=Ready pod/client --timeout=30s
}
manifest() { # NAME [JQ-FILTER]: put the objects of manifests/NAME.yaml back as they were, each first through JQ-FILTER
  PODNET=$PODNET DNS=$DNS MODE=$MODE BACKEND=$BACKEND envsubst '$PODNET $DNS $MODE $BACKEND' <"$HERE/manifests/$1.yaml" | kubectl create --dry-run=client -o json -f - | jq -s "${2:-.[]}" | kubectl replace -f -
}
web() { manifest my-service '.[] | select(.kind == "Deployment") | .spec.strategy = {type: "Recreate"} | '"${1:-.}"; web_ready; sleep 3; } # JQ-FILTER: the backends anew, changed by it
web_without_probe() { web 'del(.spec.template.spec.containers[0].readinessProbe)'; } # where the fault would fail the kubelet's probe too, and so take the endpoint out
web_command() { echo "(.spec.template.spec.containers[0].command[2]) |= $1"; }
coredns() { manifest coredns '.[] | select(.kind == "Deployment") | .spec.strategy = {type: "Recreate"} | '"${1:-.}"; } # the same for CoreDNS
veth_of() { # NAMESPACE/POD: the node's end of its veth
  local index node; index=$(in_pod "$1" ip -o link show eth0 | sed -E 's/.*eth0@if([0-9]+):.*/\1/'); node=$(kubectl get pod -n "${1%/*}" "${1#*/}" -o jsonpath='{.spec.nodeName}')
  host "$node" ip -o link | sed -nE "s/^$index: ([^@:]+).*/\1/p"
}
forget_path_mtu() { in_pod "$1" ip route flush cache; } # NAMESPACE/POD: what ICMP told its kernel
remake_vxlan() { # NODE ID PORT: flannel.1 with another VNI or port, and everything that flannel had put on it
  local n=$1 mac routes neigh fdb; mac=$(vtep_mac "$n")
  routes=$(host "$n" ip route show dev flannel.1); neigh=$(host "$n" ip neigh show dev flannel.1 nud permanent); fdb=$(host "$n" bridge fdb show dev flannel.1 | grep -v '^33:33\|^01:00')
  host "$n" ip link del flannel.1
  host "$n" ip link add flannel.1 address "$mac" mtu "$PODMTU" type vxlan id "$2" dstport "$3" local "192.168.1.1${n#n}" dev eth0 nolearning
  host "$n" ip addr add "$PODNET.${n#n}.0/32" dev flannel.1; host "$n" ip link set flannel.1 up
  local line; while read -r line; do host "$n" ip route add ${line/ onlink/} dev flannel.1 onlink; done <<<"$routes"
  while read -r ip _ mac _; do host "$n" ip neigh replace "$ip" lladdr "$mac" dev flannel.1 nud permanent; done <<<"$neigh"
  while read -r mac _ ip _; do host "$n" bridge fdb replace "$mac" dev flannel.1 dst "$ip" self permanent; done <<<"$fdb"
}
underlay() { # NFT-RULE…: for frames between the nodes, on no node's books
  host cp nft -f - <<<"table bridge underlay { chain forward { type filter hook forward priority 0; $*; }; }"
}
underlay_drop() { underlay "$@" drop; } # NFT-MATCH…: frames between the nodes vanish
underlay_pass() { host cp nft delete table bridge underlay; }
kubelet_anew() { # NODE: read kubelet.yaml again; its pid 1 starts a new one
  local p; p=$(pids_on "$1" kubelet); kill $p; sleep 3; kubectl wait --for=condition=Ready "node/$1" --timeout=60s
}

heal() { # whatever was done to it, make this cluster the one that `up` made
  local i m
  underlay_pass 2>/dev/null; thaw cp coredns kube-controller kube-scheduler etcd kube-apiserver
  for i in $(node_numbers); do host cp ip link set "to-n$i" up master underlay mtu "$MTU"; heal_node "$i"; done
  kubectl uncordon -l kubernetes.io/os=linux; kubectl label node --all noproxy-
  kubectl delete networkpolicy,pod -l made-by=fault --force --grace-period=0
  kubectl delete svc my-service my-external; kubectl delete pod client --grace-period=0 --force; apply my-service
  for m in kube-proxy flannel coredns my-service; do manifest $m '.[] | select(.kind | IN("DaemonSet", "Deployment", "ConfigMap", "Service"))'; done
  kubectl delete pod -n kube-system -l k8s-app=kube-proxy; kubectl delete pod -n kube-flannel -l app=flannel
  kubectl rollout status -n kube-system ds/kube-proxy --timeout=60s; kubectl rollout status -n kube-flannel ds/kube-flannel-ds --timeout=60s; sleep 3
  kubectl delete pod -n kube-system -l k8s-app=kube-dns; kubectl delete pod -l app=web
  dns_ready; web_ready; kubectl wait --for=condition=Ready pod/client --timeout=60s
  rm -f "$STATE/broken" "$STATE"/place.*
}
heal_node() { # NUMBER: its kernel state, processes and files
  local n=n$1 t
  thaw "$n" kube-proxy flannel kubelet containerd coredns busybox
  host "$n" ip link set eth0 up mtu "$MTU"; host "$n" ip route replace default via 192.168.1.1; host "$n" ip route del 192.168.1.11 via 192.168.1.1 2>/dev/null
  host "$n" ethtool -K eth0 tx on tso on gso on gro on
  host "$n" sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  nft_on "$n" flush ruleset
  for t in $(host "$n" cat /proc/net/ip_tables_names); do host "$n" iptables-legacy -t "$t" -F; done
  host "$n" ip link del flannel.1 2>/dev/null; host "$n" ip route flush root "$PODNET.0.0/16" scope global
  host "$n" conntrack -F
  host "$n" ip link set cni0 up 2>/dev/null; find "$STATE/$n/var-cni/networks/cbr0" -name "$PODNET.*" -exec grep -l '^fault' {} + 2>/dev/null | xargs -r rm
  echo "nameserver 192.168.1.1" >"$STATE/$n/resolv.conf"
  cni_config "$1" >"$STATE/$n/etc-cni/net.d/10-flannel.conflist"
  kubelet_config "$1" | cmp -s - "$STATE/$n/kubelet.yaml" || { kubelet_config "$1" >"$STATE/$n/kubelet.yaml"; kubelet_anew "$n" >/dev/null; }
}
pin_client_flows() { # PROTOCOL ADDRESS PORT POD-PORT [CONNTRACK-OPTION…]: the client uses 64 source ports, and n1's conntrack sends each of them to 10.244.2.250, which is gone
  local ip p; ip=$(kubectl get pod client -o jsonpath='{.status.podIP}'); in_pod default/client sysctl -qw net.ipv4.ip_local_port_range="40000 40063"
  for p in $(seq 40000 40063); do
    echo "-I -p $1 -s $ip -d $2 --sport $p --dport $3 -r 10.244.2.250 -q $ip --reply-port-src $4 --reply-port-dst $p -t 3600 -u SEEN_REPLY,ASSURED ${*:5}"; done >"$STATE/conntrack.in"
  host n1 conntrack -R "$STATE/conntrack.in"; rm "$STATE/conntrack.in"
}
