about="n2's tunnel uses UDP port 4789, the others 8472"
truth="cni|vxlan-parameters-differ|n2 flannel.1 dstport 4789"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { remake_vxlan n2 1 4789; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { remake_vxlan n2 1 8472; }
