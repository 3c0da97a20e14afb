about="a rule in the raw table drops the Service's address before kube-proxy sees it"
truth="service|rule-before-kube-proxy|n1 raw PREROUTING"
symptom="the ClusterIP times out; the pods answer by their addresses"
inject() { host n1 iptables -t raw -I PREROUTING -d "$(cluster_ip)" -p tcp --dport 80 -j DROP; }
bites() { times_out svc && answers n2 && resolves; }
revert() { host n1 iptables -t raw -F PREROUTING; }
