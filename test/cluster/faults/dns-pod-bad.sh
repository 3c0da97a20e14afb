about="one of two CoreDNS pods drops port 53, and its readiness probe, which asks another port, does not notice"
truth="dns|dns-pod-bad|one pod of deployment kube-system/coredns"
symptom="some lookups through 10.96.0.10 get no answer; one DNS pod never answers, the other always"
inject() { POD=$(dns_pod 0); place "dns|dns-pod-bad|pod kube-system/$POD"; for p in udp tcp; do in_pod "kube-system/$POD" iptables -I INPUT -p $p --dport 53 -j DROP; done; }
bites() { local i none=0; for i in $(seq 10); do [ -n "$(dig_status my-service.default.svc.cluster.local)" ] || none=$((none + 1)); done; [ $none -gt 0 ] && [ $none -lt 10 ]; }
revert() { kubectl delete pod -n kube-system -l k8s-app=kube-dns --grace-period=1; dns_ready; }
