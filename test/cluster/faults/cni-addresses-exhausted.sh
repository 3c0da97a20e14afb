about="every pod address of n3 is taken in the CNI plug-in's books: pods that run there go on, new ones cannot start"
truth="cni|pod-addresses-exhausted|n3"
expect=note
symptom="pod default/newcomer on n3 stays ContainerCreating; the Service answers"
books() { echo "$STATE/n3/var-cni/networks/cbr0"; }
inject() { local i; for i in $(seq 2 254); do [ -e "$(books)/10.244.3.$i" ] || printf 'fault-%s\r\neth0' "$i" >"$(books)/10.244.3.$i"; done
  kubectl create -f - <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"newcomer","labels":{"made-by":"fault"}},"spec":{"nodeName":"n3","terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"docker.io/library/busybox:1.36","imagePullPolicy":"IfNotPresent","command":["sleep","infinity"]}]}}'; }
bites() { kubectl get events --field-selector involvedObject.name=newcomer 2>/dev/null | grep 'no IP addresses available' >/dev/null && kubectl get pod newcomer | grep ContainerCreating >/dev/null && answers svc; }
revert() { grep -ls '^fault-' "$(books)"/10.244.3.* | xargs -r rm; kubectl delete pod newcomer --force --grace-period=0; }
