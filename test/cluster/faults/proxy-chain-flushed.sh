about="the Service's chain on the client's node is empty, and kube-proxy does not fill it again"
truth="service|service-rules-missing|n1: the chain of default/my-service (KUBE-SVC-…, nftables service-…) has no rules"
symptom="the ClusterIP times out; the DNS Service and the pods answer"
inject() { stop_proxy_sync n1; local chain
  if mode_is nftables; then chain=$(nft_on n1 list chains ip | grep -oE ' service-[A-Z0-9]+-default/my-service/tcp/http' | tail -1); nft_on n1 flush chain ip kube-proxy "$chain"
  else chain=$(host n1 iptables-save -t nat | grep -- "-A KUBE-SERVICES -d $(cluster_ip)/32" | grep -oE 'KUBE-SVC-[A-Z0-9]+'); host n1 iptables -t nat -F "$chain"; fi; }
bites() { fails svc && answers n2 && resolves; }
revert() { fresh_agent n1 kube-proxy; }
