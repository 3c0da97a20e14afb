about="strict reverse path filtering on n2, whose route to the client's node's pods leaves by eth0 while their packets come in by the tunnel"
truth="cni|rp-filter-drop|n2 flannel.1"
backends=vxlan
symptom="the endpoint on n2 times out (with rp_filter 0 it answers); the others answer"
inject() { host n2 ip route replace 10.244.1.0/24 via 192.168.1.11 dev eth0; answers n2 || return; host n2 sysctl -qw net.ipv4.conf.flannel/1.rp_filter=1; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 sysctl -qw net.ipv4.conf.flannel/1.rp_filter=0; host n2 ip route replace 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink; }
