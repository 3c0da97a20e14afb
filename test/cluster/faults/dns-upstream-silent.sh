about="the resolver that CoreDNS forwards to does not answer"
truth="dns|dns-upstream-failing|forward . /etc/resolv.conf: 192.168.1.1:53"
symptom="www.example.com does not resolve; my-service does"
diagnose="svc/my-external --from pod/client"
inject() { freeze cp coredns; }
bites() { # asked again and again, because each CoreDNS pod may still have it in a cache of its own (30 s)
  local i; resolves && for i in 1 2 3 4 5 6; do unresolvable www.example.com || return 1; done
}
revert() { thaw cp coredns; }
