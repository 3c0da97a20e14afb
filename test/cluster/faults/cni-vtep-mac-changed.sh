about="the MAC of n2's tunnel device was changed after the others had been told of it"
truth="cni|vtep-mac-mismatch|n2 flannel.1"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { vtep_mac n2 >"$STATE/vtep-mac"; set_vtep_mac n2 02:00:00:00:00:77; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { set_vtep_mac n2 "$(cat "$STATE/vtep-mac")"; rm "$STATE/vtep-mac"; }
