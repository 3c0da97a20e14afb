about="something flushed the nat chains that lead to kube-proxy's rules (nftables: nat-prerouting and nat-output)"
truth="service|service-rules-unhooked|n1 nat PREROUTING (nftables: nat-prerouting)"
symptom="no ClusterIP answers; the pods answer by their addresses"
inject() { stop_proxy_sync n1; local c
  if mode_is nftables; then for c in nat-prerouting nat-output; do nft_on n1 flush chain ip kube-proxy $c; done; else for c in PREROUTING OUTPUT; do host n1 iptables -t nat -F $c; done; fi; }
bites() { fails svc && unresolvable && answers n2; }
revert() { fresh_agent n1 kube-proxy; }
