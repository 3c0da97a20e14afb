about="an ExternalName Service with an address for a name: DNS answers with a CNAME that leads nowhere"
truth="service|headless-or-externalname-misread|service default/my-external externalName 192.0.2.10"
symptom="my-external does not resolve; www.example.com does"
diagnose="svc/my-external --from pod/client"
inject() { kubectl patch svc my-external -p '{"spec":{"externalName":"192.0.2.10"}}'; }
bites() { unresolvable my-external && answers outside; }
revert() { kubectl patch svc my-external -p '{"spec":{"externalName":"www.example.com"}}'; }
