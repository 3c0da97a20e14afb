about="a host firewall's own nftables table drops the ClusterIP before kube-proxy's hook"
truth="service|rule-before-kube-proxy|n1 table inet hostfw chain prerouting"
symptom="the ClusterIP times out; the pods answer by their addresses"
inject() { nft_on n1 add table inet hostfw; nft_on n1 'add chain inet hostfw prerouting { type filter hook prerouting priority -200; }'; nft_on n1 add rule inet hostfw prerouting ip daddr "$(cluster_ip)" tcp dport 80 counter drop; }
bites() { times_out svc && answers n2; }
revert() { nft_on n1 delete table inet hostfw; }
