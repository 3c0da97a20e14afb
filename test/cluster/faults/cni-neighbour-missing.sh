about="the client's node has no neighbour entry for n2's VTEP"
truth="cni|tunnel-neighbour-wrong|n1 flannel.1 10.244.2.0"
backends=vxlan
symptom="the endpoint on n2 is unreachable after three seconds; the others answer"
inject() { host n1 ip neigh del 10.244.2.0 dev flannel.1; }
bites() { unreachable n2 && answers n3 && answers n1; }
revert() { host n1 ip neigh replace 10.244.2.0 lladdr "$(vtep_mac n2)" dev flannel.1 nud permanent; }
