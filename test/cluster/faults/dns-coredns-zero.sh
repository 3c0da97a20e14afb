about="CoreDNS was scaled to nothing"
truth="dns|no-ready-dns-pods|deployment kube-system/coredns has 0 replicas"
symptom="no name resolves; the ClusterIP answers"
inject() { kubectl scale -n kube-system deploy/coredns --replicas=0; }
bites() { unresolvable && answers svc; }
revert() { kubectl scale -n kube-system deploy/coredns --replicas=2; dns_ready; }
