about="n2's tunnel has VNI 2, the others 1"
truth="cni|vxlan-parameters-differ|n2 flannel.1 id 2"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { remake_vxlan n2 2 8472; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { remake_vxlan n2 1 8472; }
