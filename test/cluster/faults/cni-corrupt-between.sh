about="the network between the nodes turns bits of the pods' TCP headers in the tunnel from n1 to n2 (checksums are made on n1's device, as a real wire's packets have them)"
truth="cni|tunnel-traffic-lost-between-nodes|n1 -> n2 udp 8472"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
# the window of the inner TCP header: 8 bytes of UDP, 8 of VXLAN, 14 of Ethernet, 20 of IPv4, then the 14th of TCP
inject() { host n1 ethtool -K eth0 tx off; underlay 'ip saddr 192.168.1.11 ip daddr 192.168.1.12 udp dport 8472 @th,512,16 set 0xdead'; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { underlay_pass; host n1 ethtool -K eth0 tx on; }
