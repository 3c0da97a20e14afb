about="a Corefile with an unknown directive: CoreDNS ends as soon as it starts"
truth="dns|coredns-crash-loop|configmap kube-system/coredns"
symptom="no name resolves; the CoreDNS pods are in CrashLoopBackOff"
corefile() { manifest coredns '.[] | select(.kind == "ConfigMap") | '"$1"; coredns '.spec.template.metadata.annotations.config = "'"$RANDOM"'"'; }
inject() { corefile '.data.Corefile |= sub("    ready\n"; "    raedy\n")'; sleep 12; }
bites() { unresolvable && kubectl get pods -n kube-system -l k8s-app=kube-dns | grep CrashLoopBackOff >/dev/null; }
revert() { corefile .; dns_ready; }
