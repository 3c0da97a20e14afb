about="a backend has no route out of its own subnet: its answers to other nodes go nowhere"
truth="cni|pod-default-route-missing|the web pod on n2"
symptom="the endpoint on n2 times out; the others answer"
inject() { local pod; pod=$(endpoint_pod n2); place "cni|pod-default-route-missing|pod default/$pod"; in_pod "default/$pod" ip route del default; in_pod "default/$pod" ip route del 10.244.0.0/16; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { kubectl delete pod "$(endpoint_pod n2)" --grace-period=1; web_ready; }
