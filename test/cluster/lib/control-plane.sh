# control-plane.sh — host cp: certificates, the bridge that joins all hosts, upstream DNS, etcd and the control plane. Sourced.
pki() {
  mkdir -p "$STATE/pki"
  ( cd "$STATE/pki"; [ -f ca.crt ] && exit
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj "/CN=$PREFIX-ca" 2>/dev/null
    openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
    certificate apiserver kube-apiserver k DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:192.168.1.1,IP:10.96.0.1,IP:127.0.0.1
    certificate admin admin system:masters DNS:admin
    certificate kube-controller-manager system:kube-controller-manager k DNS:kcm
    certificate kube-scheduler system:kube-scheduler k DNS:sched
    certificate kubelet-client apiserver-kubelet-client system:masters DNS:x
    for i in $(node_numbers); do certificate "n$i" "system:node:n$i" system:nodes "DNS:n$i,IP:192.168.1.1$i"; done )
}
certificate() { # NAME CN O SAN
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/O=$3/CN=$2" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth' "$4") 2>/dev/null
}
kubeconfig() { # NAME of the certificate
  cat <<C
apiVersion: v1
kind: Config
clusters: [{name: $PREFIX, cluster: {server: https://192.168.1.1:6443, certificate-authority: $STATE/pki/ca.crt}}]
users: [{name: $1, user: {client-certificate: $STATE/pki/$1.crt, client-key: $STATE/pki/$1.key}}]
contexts: [{name: $PREFIX, context: {cluster: $PREFIX, user: $1}}]
current-context: $PREFIX
C
}
hosts() {
  ip netns add "$PREFIX-cp"; host cp ip link set lo up
  host cp ip link add underlay type bridge; host cp ip link set underlay up mtu "$MTU"
  host cp ip addr add 192.168.1.1/24 dev underlay
  host cp ip addr add 192.0.2.10/32 dev lo # www.example.com
  for i in $(node_numbers); do
    ip netns add "$PREFIX-n$i"; host "n$i" ip link set lo up
    ip link add eth0 netns "$PREFIX-n$i" mtu "$MTU" type veth peer name "to-n$i" netns "$PREFIX-cp" mtu "$MTU"
    host cp ip link set "to-n$i" master underlay up
    host "n$i" ip link set eth0 up; host "n$i" ip addr add "192.168.1.1$i/24" dev eth0
    host "n$i" ip route add default via 192.168.1.1
    host "n$i" sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
  done
}
on_cp() { # NAME CMD…: a daemon on host cp, its log and pid file under $STATE/cp
  setsid nsenter --net="$(netns cp)" "${@:2}" >"$STATE/cp/$1.log" 2>&1 </dev/null & echo $! >"$STATE/cp/$1.pid"
}
outside() { # the nodes' DNS server and the one host of the outside world, www.example.com = example.test = 192.0.2.10
  mkdir -p "$STATE/cp/www"; echo 'outside' >"$STATE/cp/www/index.html"
  cat >"$STATE/cp/Corefile" <<'C'
.:53 {
    errors
    template IN A {
        match "^(www\.example\.com|example\.test)\.$"
        answer "{{ .Name }} 60 IN A 192.0.2.10"
        fallthrough
    }
    template IN AAAA {
        match "^(www\.example\.com|example\.test)\.$"
        rcode NOERROR
        fallthrough
    }
    template ANY ANY {
        rcode NXDOMAIN
        authority ". 60 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60"
    }
}
C
  on_cp upstream-dns coredns -conf "$STATE/cp/Corefile"
  on_cp www "$ROOTFS/bin/busybox" httpd -f -p 192.0.2.10:80 -h "$STATE/cp/www"
}
control_plane() {
  local pki=$STATE/pki; mkdir -p "$STATE/cp" "$STATE/etcd"
  for c in admin kube-controller-manager kube-scheduler; do kubeconfig $c >"$STATE/$c.conf"; done
  outside
  on_cp etcd etcd --data-dir "$STATE/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --unsafe-no-fsync
  on_cp kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=192.168.1.1 --secure-port=6443 \
    --service-cluster-ip-range=$SVCNET --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" --kubelet-certificate-authority="$pki/ca.crt" \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" --service-account-issuer=https://kubernetes.default.svc \
    --authorization-mode=Node,RBAC --allow-privileged=true --enable-admission-plugins=NodeRestriction --kubelet-preferred-address-types=InternalIP
  for _ in $(seq 120); do kubectl get --raw=/readyz >/dev/null 2>&1 && break; sleep .5; done
  kubectl get --raw=/readyz >/dev/null
  # podCIDRs are not allocated but given (nodes_ready), so that node N always has 10.244.N.0/24
  on_cp kube-controller-manager kube-controller-manager --kubeconfig="$STATE/kube-controller-manager.conf" --cluster-cidr=$PODNET.0.0/16 --allocate-node-cidrs=false \
    --use-service-account-credentials --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --leader-elect=false --node-monitor-grace-period=20s
  on_cp kube-scheduler kube-scheduler --kubeconfig="$STATE/kube-scheduler.conf" --leader-elect=false
}
