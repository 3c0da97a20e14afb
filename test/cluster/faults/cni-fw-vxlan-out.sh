about="the firewall of the client's node drops the tunnel's UDP port on the way out"
truth="cni|tunnel-port-filtered|n1 filter OUTPUT udp 8472"
backends=vxlan
symptom="the endpoints on n2 and n3 time out; the one on n1 answers"
inject() { host n1 iptables -I OUTPUT -p udp --dport 8472 -j DROP; }
bites() { times_out n2 && times_out n3 && answers n1; }
revert() { host n1 iptables -D OUTPUT -p udp --dport 8472 -j DROP; }
