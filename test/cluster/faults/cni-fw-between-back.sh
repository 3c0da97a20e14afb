about="the network between the nodes drops UDP 8472 from n2 to n1: requests arrive, answers do not"
truth="cni|tunnel-traffic-lost-between-nodes|n2 -> n1 udp 8472"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { underlay_drop ip saddr 192.168.1.12 ip daddr 192.168.1.11 udp dport 8472; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { underlay_pass; }
