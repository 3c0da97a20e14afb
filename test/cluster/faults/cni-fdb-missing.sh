about="the client's node has no FDB entry for n2's VTEP"
truth="cni|fdb-entry-wrong|n1 flannel.1: no entry for the VTEP of n2"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n1 bridge fdb del "$(vtep_mac n2)" dev flannel.1 dst 192.168.1.12 self; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n1 bridge fdb replace "$(vtep_mac n2)" dev flannel.1 dst 192.168.1.12 self permanent; }
