about="the resolv.conf that kubelet hands to CoreDNS names a loopback resolver (as systemd-resolved's does): CoreDNS asks itself and ends"
truth="dns|coredns-crash-loop|resolv.conf of the nodes (kubelet resolvConf) has nameserver 127.0.0.1"
symptom="no name resolves; the CoreDNS pods are in CrashLoopBackOff and log 'plugin/loop: Loop detected'"
resolver() { local i; for i in $(node_numbers); do echo "nameserver $1" >"$STATE/n$i/resolv.conf"; done; coredns '.spec.template.metadata.annotations.config = "'"$RANDOM"'"'; }
inject() { resolver 127.0.0.1; sleep 12; }
bites() { unresolvable && kubectl get pods -n kube-system -l k8s-app=kube-dns | grep CrashLoopBackOff >/dev/null; }
revert() { resolver 192.168.1.1; dns_ready; }
