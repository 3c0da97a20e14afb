about="a rule in FORWARD rejects what was addressed to the ClusterIP"
truth="service|rule-before-kube-proxy|n1 filter FORWARD rejects --ctorigdst of default/my-service"
symptom="the ClusterIP is refused at once; the pods answer by their addresses"
inject() { host n1 iptables -I FORWARD -p tcp -m conntrack --ctorigdst "$(cluster_ip)" -j REJECT --reject-with icmp-admin-prohibited; }
bites() { refused svc && answers n2; }
revert() { local rule; host n1 iptables -S FORWARD | sed -n '/--ctorigdst/s/^-A/-D/p' | while read -r rule; do eval host n1 iptables "$rule"; done; }
