about="FORWARD has policy DROP, and flannel's rules accept the pods before it"
truth="healthy|-|n1 filter FORWARD policy DROP is never reached"
expect=healthy
symptom="none: everything answers"
inject() { host n1 iptables -P FORWARD DROP; }
bites() { host n1 iptables -S FORWARD | grep 'P FORWARD DROP' >/dev/null && answers name && answers n2 && answers n1; }
revert() { host n1 iptables -P FORWARD ACCEPT; }
