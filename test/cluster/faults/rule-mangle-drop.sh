about="a rule in the mangle table drops the whole Service range"
truth="service|rule-before-kube-proxy|n1 mangle PREROUTING"
symptom="every ClusterIP times out; the pods answer by their addresses"
inject() { host n1 iptables -t mangle -I PREROUTING -s 10.244.0.0/16 -d 10.96.0.0/16 -j DROP; }
bites() { times_out svc && unresolvable && answers n2; }
revert() { host n1 iptables -t mangle -D PREROUTING -s 10.244.0.0/16 -d 10.96.0.0/16 -j DROP; }
