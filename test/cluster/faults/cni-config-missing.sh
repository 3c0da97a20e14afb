about="n3's CNI configuration is gone: n3 becomes NotReady and its endpoints leave the Service"
truth="cni|cni-config-missing|n3 /etc/cni/net.d"
expect=note
symptom="n3 is NotReady; the Service still answers by n1 and n2"
inject() { rm "$STATE/n3/etc-cni/net.d/10-flannel.conflist"; }
bites() { kubectl get node n3 | grep NotReady >/dev/null && answers name && answers svc; }
revert() { cni_config 3 >"$STATE/n3/etc-cni/net.d/10-flannel.conflist"; }
