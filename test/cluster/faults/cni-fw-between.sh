about="the network between the nodes (a security group) drops UDP 8472 from n1 to n2: no node's tables show it"
truth="cni|tunnel-traffic-lost-between-nodes|n1 -> n2 udp 8472"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { underlay_drop ip saddr 192.168.1.11 ip daddr 192.168.1.12 udp dport 8472; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { underlay_pass; }
