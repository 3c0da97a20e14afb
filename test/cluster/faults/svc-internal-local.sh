about="internalTrafficPolicy Local, and no endpoint on the client's node"
truth="service|internal-traffic-policy-no-local-endpoint|service default/my-service internalTrafficPolicy Local, no endpoint on n1"
symptom="the ClusterIP times out on n1; the pods on n2 and n3 answer by their addresses"
inject() { kubectl patch svc my-service -p '{"spec":{"internalTrafficPolicy":"Local"}}'
  web '.spec.replicas = 2 | .spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms = [{matchExpressions: [{key: "kubernetes.io/hostname", operator: "NotIn", values: ["n1"]}]}]'; }
bites() { times_out svc && answers n2; }
revert() { kubectl patch svc my-service -p '{"spec":{"internalTrafficPolicy":"Cluster"}}'; web; }
