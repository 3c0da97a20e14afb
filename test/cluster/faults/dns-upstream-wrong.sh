about="the nodes' resolv.conf, which CoreDNS forwards to, names a host that is not there"
truth="dns|dns-upstream-failing|forward . /etc/resolv.conf: 192.168.1.53:53"
symptom="www.example.com does not resolve; my-service does"
diagnose="svc/my-external --from pod/client"
resolver() { local i; for i in $(node_numbers); do echo "nameserver $1" >"$STATE/n$i/resolv.conf"; done; kubectl delete pod -n kube-system -l k8s-app=kube-dns --grace-period=1; dns_ready; }
inject() { resolver 192.168.1.53; }
bites() { resolves && unresolvable www.example.com; }
revert() { resolver 192.168.1.1; }
