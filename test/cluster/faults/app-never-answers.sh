about="the backends accept connections and say nothing"
truth="app|accepts-and-never-answers|deployment default/web"
symptom="connections are made at once, and no answer comes"
inject() { web "$(web_command '"exec busybox nc -ll -p 8080 -e sleep 60"')"; }
bites() { [ "$(client curl -s -o /dev/null -m 3 -w '%{exitcode} %{num_connects}' "$(url svc)")" = "28 1" ]; }
revert() { web; }
