about="the client has dnsPolicy Default: it asks the node's resolver, which knows no Service"
truth="dns|dns-policy-default|pod default/client dnsPolicy Default"
symptom="my-service does not resolve and www.example.com does; the ClusterIP answers"
inject() { new_client '"dnsPolicy":"Default",'; }
bites() { unresolvable && answers outside && answers svc; }
revert() { new_client; }
