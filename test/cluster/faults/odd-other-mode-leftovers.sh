about="kube-proxy once ran in the other mode on the client's node; its rules are still there, beside the new ones, and lead to the same pods"
truth="healthy|-|n1 has the rules of the other kube-proxy mode too"
expect=healthy
symptom="none: everything answers"
other() { if mode_is nftables; then echo iptables; else echo nftables; fi; }
inject() { kubectl exec -n kube-system "$(kubectl get pod -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=n1 -o jsonpath='{.items[0].metadata.name}')" -- \
  sh -c "sed -e 's/^mode: .*/mode: $(other)/' -e 's/:10249/:10259/' /var/lib/kube-proxy/config.conf >/tmp/other.conf; printf 'healthzBindAddress: 127.0.0.1:10260\n' >>/tmp/other.conf; timeout 8 kube-proxy --config=/tmp/other.conf --hostname-override=n1; true"; }
bites() { if mode_is nftables; then host n1 iptables-save -t nat | grep 'KUBE-SVC.*my-service' >/dev/null; else nft_on n1 list table ip kube-proxy | grep my-service >/dev/null; fi && answers name && answers svc; }
revert() { if mode_is nftables; then flush_kube; else nft_on n1 delete table ip kube-proxy; nft_on n1 delete table ip6 kube-proxy; fi; fresh_agent n1 kube-proxy; }
flush_kube() { local t; for t in nat filter; do host n1 iptables-save -t $t | sed -nE '/-j KUBE-(SERVICES|POSTROUTING|FORWARD|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL)/s/^-A (PREROUTING|OUTPUT|POSTROUTING|FORWARD|INPUT)/-D \1/p' | while read -r rule; do eval host n1 iptables -t $t "$rule"; done
  for i in 1 2 3; do for c in $(host n1 iptables-save -t $t | sed -nE 's/^:(KUBE-(SERVICES|POSTROUTING|FORWARD|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL|PROXY-CANARY|MARK-MASQ|SVC-[^ ]*|SEP-[^ ]*)) .*/\1/p'); do host n1 iptables -t $t -F "$c"; host n1 iptables -t $t -X "$c"; done; done; done 2>/dev/null; true; }
