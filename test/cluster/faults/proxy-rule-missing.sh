about="the Service's own rule is gone from the client's node (nftables: its element of the map service-ips), and kube-proxy does not put it back"
truth="service|service-rules-missing|n1 nat KUBE-SERVICES (nftables: map service-ips) has nothing for default/my-service"
symptom="the ClusterIP times out; the DNS Service and the pods answer"
inject() { stop_proxy_sync n1; local ip; ip=$(cluster_ip)
  if mode_is nftables; then nft_on n1 delete element ip kube-proxy service-ips "{ $ip . tcp . 80 }"
  else host n1 iptables-save -t nat | sed -n "/^-A KUBE-SERVICES -d $ip\/32/s/^-A/-D/p" | while read -r rule; do eval host n1 iptables -t nat "$rule"; done; fi; }
bites() { fails svc && answers n2 && resolves; }
revert() { fresh_agent n1 kube-proxy; }
