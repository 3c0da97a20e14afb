about="the client's own search list lacks its namespace"
truth="dns|search-list-wrong|pod default/client dnsConfig searches"
symptom="my-service does not resolve, my-service.default.svc.cluster.local does"
inject() { new_client '"dnsPolicy":"None","dnsConfig":{"nameservers":["10.96.0.10"],"searches":["prod.svc.cluster.local","svc.cluster.local","cluster.local"],"options":[{"name":"ndots","value":"5"}]},'; }
bites() { unresolvable && resolves my-service.default.svc.cluster.local; }
revert() { new_client; }
