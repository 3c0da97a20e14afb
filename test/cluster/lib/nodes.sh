# nodes.sh — nodes n1…: one root file system as every image, containerd, kubelet, and the wait until they are Ready. Sourced.
IMAGES=(registry.k8s.io/pause:3.10 registry.k8s.io/kube-proxy:v1.36.3 registry.k8s.io/coredns/coredns:v1.15.0 ghcr.io/flannel-io/flannel:v0.26.7
  docker.io/nicolaka/netshoot:latest docker.io/nicolaka/netshoot:v0.13 docker.io/library/busybox:1.36 docker.io/library/busybox:latest docker.io/library/nginx:latest docker.io/k8snet/allinone:v1)
image() ( # one root file system under many names, so that every "registry" image is there without a registry
  exec 9>"$BIN/image.lock"; flock 9 # a second cluster may be starting
  stamp=$( (echo "${IMAGES[@]}"; stat -c %y "$KBIN"/{kube-proxy,flannel,coredns} "$ROOTFS/.done") | sha256sum | cut -c1-16); [ -e "$BIN/image.$stamp" ] && exit
  I=$BIN/image.d; rm -rf "$I" "$BIN"/image.????????????????; mkdir -p "$I"; cp "$KBIN"/{kube-proxy,coredns,flannel} "$ROOTFS/usr/local/bin/"
  tar -C "$ROOTFS" --numeric-owner --exclude=./dev --exclude=./proc --exclude=./sys -cf "$I/layer.tar" .
  python3 - "$I" "${IMAGES[@]}" <<'PY'
import hashlib, json, sys, tarfile
i, names = sys.argv[1], sys.argv[2:]; digest = hashlib.file_digest(open(i + '/layer.tar', 'rb'), 'sha256').hexdigest()
config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sleep", "infinity"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
          "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}, "history": [{"created_by": "k8snet"}]}
json.dump(config, open(i + '/config.json', 'w')); json.dump([{"Config": "config.json", "RepoTags": names, "Layers": ["layer.tar"]}], open(i + '/manifest.json', 'w'))
with tarfile.open(i + '/image.tar', 'w') as t:
    for f in ("manifest.json", "config.json", "layer.tar"): t.add(i + '/' + f, f)
PY
  mv "$I/image.tar" "$BIN/image.tar"; rm -r "$I"; touch "$BIN/image.$stamp" )
start_node() { # NUMBER
  local i=$1 n=n$1 d=$STATE/n$1; mkdir -p "$d"/{cg,etc-cni/net.d,var-cni,kubelet,containerd,log}
  cni_config "$i" >"$d/etc-cni/net.d/10-flannel.conflist"; containerd_config >"$d/containerd.toml"; kubelet_config "$i" >"$d/kubelet.yaml"
  kubeconfig "$n" >"$d/kubelet.conf"; init_script "$i" >"$d/init.sh"; echo "nameserver 192.168.1.1" >"$d/resolv.conf"
  setsid nsenter --net="$(netns "$n")" unshare -m -p -u -f --kill-child bash "$d/init.sh" >"$d/log/init.log" 2>&1 </dev/null &
  # the node's pid 1: the child of unshare, not unshare itself
  for _ in $(seq 50); do sleep .1; pgrep -f "^bash $d/init.sh" | head -1 >"$d/pid"; [ -s "$d/pid" ] && return; done
  fail "node $n did not start: $d/log/init.log"
}
cni_config() {
  cat <<C
{"name":"cbr0","cniVersion":"0.3.1","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"isDefaultGateway":true,"hairpinMode":true,"ipMasq":false,"mtu":$PODMTU,
  "ipam":{"type":"host-local","subnet":"$PODNET.$1.0/24","routes":[{"dst":"$PODNET.0.0/16"}],"dataDir":"/var/lib/cni/networks"}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
C
}
containerd_config() {
  cat <<'C'
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "registry.k8s.io/pause:3.10"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "/etc/cni/net.d"
C
}
kubelet_config() {
  cat <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $STATE/pki/ca.crt}}
authorization: {mode: Webhook}
clusterDNS: [$DNS]
clusterDomain: cluster.local
cgroupDriver: cgroupfs
cgroupRoot: /
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
oomScoreAdj: 0
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
tlsCertFile: $STATE/pki/n$1.crt
tlsPrivateKeyFile: $STATE/pki/n$1.key
resolvConf: $STATE/n$1/resolv.conf
evictionHard: {nodefs.available: "0%", imagefs.available: "0%", memory.available: 10Mi}
localStorageCapacityIsolation: false
C
}
init_script() { # what the node's pid 1 runs: its own /proc, /sys, /run and state directories, then containerd and kubelet
  local d=$STATE/n$1
  cat <<C
#!/bin/bash
hostname n$1
mount --make-rprivate /
mount -t proc proc /proc
mount --rbind /sys/fs/cgroup $d/cg
mount -t sysfs sysfs /sys && mount --rbind $d/cg /sys/fs/cgroup
mkdir -p /etc/cni /var/lib/cni /var/lib/kubelet /var/lib/containerd
mount --bind $d/etc-cni /etc/cni; mount --bind $d/var-cni /var/lib/cni; mount --bind $d/kubelet /var/lib/kubelet
mount --bind $d/containerd /var/lib/containerd
mount -t tmpfs tmpfs /run; mkdir -p /run/netns /run/lock; mkdir -p /var/log/pods /var/log/containers
mkdir -p $d/log/pods; mount --bind $d/log/pods /var/log/pods
mount --make-rshared /
export PATH=$KBIN:/usr/lib/cni:/usr/sbin:/usr/bin:/sbin:/bin
containerd -c $d/containerd.toml >$d/log/containerd.log 2>&1 &
for t in \$(seq 50); do [ -S /run/containerd/containerd.sock ] && break; sleep .2; done
ctr -n k8s.io image ls -q 2>/dev/null | grep -q allinone || ctr -n k8s.io image import $BIN/image.tar >$d/log/import.log 2>&1
while true; do
 kubelet --config $d/kubelet.yaml --kubeconfig $d/kubelet.conf --node-ip 192.168.1.1$1 --hostname-override n$1 --v=1 >>$d/log/kubelet.log 2>&1
 sleep 1
done &
trap 'kill \$(jobs -p)' TERM
while true; do wait -n; sleep 1; done
C
}
nodes_ready() {
  for i in $(node_numbers); do
    for _ in $(seq 120); do kubectl get node "n$i" >/dev/null 2>&1 && break; sleep .5; done
    kubectl patch node "n$i" -p "{\"spec\":{\"podCIDR\":\"$PODNET.$i.0/24\",\"podCIDRs\":[\"$PODNET.$i.0/24\"]}}" >/dev/null
  done
}
apply() { # MANIFEST: with ${MODE}, ${BACKEND}… filled in
  PODNET=$PODNET DNS=$DNS MODE=$MODE BACKEND=$BACKEND envsubst '$PODNET $DNS $MODE $BACKEND' <"$HERE/manifests/$1.yaml" | kubectl apply -f - >/dev/null
}
remove_cgroups() { # only those of this cluster's containers: containerd keeps a directory for each id
  local id; for id in $(ls "$STATE"/n[0-9]/containerd/io.containerd.grpc.v1.cri/{containers,sandboxes} 2>/dev/null | grep -xE '[0-9a-f]{64}'); do
    find /sys/fs/cgroup -maxdepth 4 -type d -name "$id" -exec rmdir {} + 2>/dev/null || true; done
}
