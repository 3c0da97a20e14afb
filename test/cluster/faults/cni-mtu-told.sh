about="the tunnels take 1400 bytes, the pods send 1450, and 'fragmentation needed' gets through"
truth="cni|mtu-mismatch|flannel.1 mtu 1400 under pod mtu 1450"
backends=vxlan
expect=note
symptom="none: the sender is told, and keeps to 1400"
inject() { local i; for i in $(node_numbers); do host "n$i" ip link set flannel.1 mtu 1400; done; }
bites() { host n1 ip link show flannel.1 | grep 'mtu 1400' >/dev/null && answers n2 && answers n2 big; }
# The pods keep what they were told for ten minutes, and a black hole made meanwhile would not bite.
revert() { local i; for i in $(node_numbers); do host "n$i" ip link set flannel.1 mtu "$PODMTU"; forget_path_mtu "default/$(endpoint_pod "n$i")"; done; forget_path_mtu default/client; }
