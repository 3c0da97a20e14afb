about="the backend on n2 is stopped (SIGSTOP): its kernel accepts, it never answers (no readiness probe, so that the endpoint stays)"
truth="app|accepts-and-never-answers|the web pod on n2"
symptom="some requests to the ClusterIP get no answer: those to n2, which accepts the connection"
inject() { web_without_probe; local pod; pod=$(endpoint_pod n2); place "app|accepts-and-never-answers|pod default/$pod"; node n2 kill -STOP "$(container_pid "default/$pod")"; }
bites() { sometimes svc && times_out n2 && answers n3; }
revert() { kubectl delete pod "$(endpoint_pod n2)" --force --grace-period=0; web; }
