about="a firewall on the client's node drops DNS of the pods"
truth="dns|dns-port-filtered|n1 filter FORWARD drops udp and tcp port 53"
symptom="no name resolves on n1; the ClusterIP answers"
inject() { for p in udp tcp; do host n1 iptables -I FORWARD -p $p --dport 53 -j DROP; done; }
bites() { unresolvable && answers svc; }
revert() { for p in udp tcp; do host n1 iptables -D FORWARD -p $p --dport 53 -j DROP; done; }
