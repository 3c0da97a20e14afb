about="only n2's tunnel takes 1400 bytes, and n2 filters 'fragmentation needed'"
truth="cni|mtu-black-hole|n2 flannel.1 mtu 1400"
backends=vxlan
symptom="long answers from n2 hang, short ones arrive; n3 answers at length"
inject() { host n2 ip link set flannel.1 mtu 1400; host n2 iptables -I OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP; }
bites() { answers n2 && times_out n2 big && answers n3 big; }
revert() { host n2 ip link set flannel.1 mtu "$PODMTU"; host n2 iptables -D OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP; }
