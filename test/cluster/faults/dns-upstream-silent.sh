about="the resolver that CoreDNS forwards to does not answer"
truth="dns|dns-upstream-failing|forward . /etc/resolv.conf: 192.168.1.1:53"
symptom="www.example.com does not resolve; my-service does"
diagnose="svc/my-external --from pod/client"
inject() { freeze cp coredns; }
bites() { resolves && unresolvable www.example.com; }
revert() { thaw cp coredns; }
