about="the firewall of n2 drops the tunnel's UDP port"
truth="cni|tunnel-port-filtered|n2 filter INPUT udp 8472"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n2 iptables -I INPUT -p udp --dport 8472 -j DROP; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 iptables -D INPUT -p udp --dport 8472 -j DROP; }
