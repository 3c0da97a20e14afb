about="the tunnels take 1400 bytes, the pods send 1450, and 'fragmentation needed' is filtered on every node"
truth="cni|mtu-black-hole|flannel.1 mtu 1400 under pod mtu 1450"
backends=vxlan
symptom="long answers from n2 and n3 hang, short ones arrive"
inject() { local i; for i in $(node_numbers); do host "n$i" ip link set flannel.1 mtu 1400; host "n$i" iptables -I OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP; done; }
bites() { answers n2 && times_out n2 big && times_out n3 big && answers n1 big; }
revert() { local i; for i in $(node_numbers); do host "n$i" ip link set flannel.1 mtu "$PODMTU"; host "n$i" iptables -D OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP; done; }
