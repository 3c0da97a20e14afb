about="the client's node sends n2's tunnel packets to an address that is no node's"
truth="cni|fdb-entry-wrong|n1 flannel.1: VTEP of n2 at 192.168.1.99"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n1 bridge fdb replace "$(vtep_mac n2)" dev flannel.1 dst 192.168.1.99 self permanent; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n1 bridge fdb replace "$(vtep_mac n2)" dev flannel.1 dst 192.168.1.12 self permanent; }
