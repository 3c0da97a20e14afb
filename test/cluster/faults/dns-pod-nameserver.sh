about="the client's resolv.conf names a server that is not the cluster DNS"
truth="dns|pod-nameserver-not-cluster-dns|pod default/client dnsPolicy None, nameserver 10.96.0.99"
symptom="no name resolves in this pod; the ClusterIP answers"
inject() { new_client '"dnsPolicy":"None","dnsConfig":{"nameservers":["10.96.0.99"],"searches":["default.svc.cluster.local","svc.cluster.local","cluster.local"],"options":[{"name":"ndots","value":"5"}]},'; }
bites() { unresolvable && answers svc; }
revert() { new_client; }
