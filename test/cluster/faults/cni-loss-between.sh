about="the network between the nodes loses seven of ten tunnel packets from n1 to n2; the way back loses none"
truth="cni|tunnel-traffic-lost-between-nodes|n1 -> n2 udp 8472"
backends=vxlan
diagnose="svc/my-service --from pod/client --capture"
symptom="most requests to the endpoint on n2 time out; the others answer"
inject() { underlay_drop ip saddr 192.168.1.11 ip daddr 192.168.1.12 udp dport 8472 numgen random mod 100 lt 70; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { underlay_pass; }
