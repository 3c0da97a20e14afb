about="FORWARD has policy DROP and flannel's accepting rules are gone"
truth="cni|forward-drop|n1 filter FORWARD policy DROP"
symptom="the endpoints on n2 and n3 time out"
inject() { freeze n1 flannel; host n1 iptables -P FORWARD DROP; host n1 iptables -F FLANNEL-FWD; } # flannel would put its rules back within 5 s
bites() { times_out n2 && times_out n3; }
revert() { host n1 iptables -P FORWARD ACCEPT; fresh_agent n1 flannel; }
