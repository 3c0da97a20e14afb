about="the client pod's own namespace rejects UDP port 53 (a sidecar's rules gone wrong)"
truth="dns|dns-port-filtered|pod default/client filter OUTPUT rejects udp port 53"
symptom="no name resolves in this pod; the ClusterIP answers"
inject() { in_pod default/client iptables -I OUTPUT -p udp --dport 53 -j REJECT; }
bites() { unresolvable && answers svc; }
revert() { in_pod default/client iptables -D OUTPUT -p udp --dport 53 -j REJECT; }
