about="kubelet on the client's node has clusterDomain cluster.internal, CoreDNS serves cluster.local"
truth="dns|search-list-wrong|kubelet on n1: clusterDomain cluster.internal"
symptom="my-service does not resolve on n1, my-service.default.svc.cluster.local does"
domain() { sed -i "s/^clusterDomain: .*/clusterDomain: $1/" "$STATE/n1/kubelet.yaml"; kubelet_anew n1; new_client; }
inject() { domain cluster.internal; }
bites() { unresolvable && resolves my-service.default.svc.cluster.local; }
revert() { domain cluster.local; }
