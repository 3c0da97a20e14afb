about="n2 drops what is addressed to its backend for half a second every five seconds"
truth="cni|-|n2 filter FORWARD tcp 8080, now and then"
symptom="some requests take a second longer, a few seconds after one another"
expect=watch
# Bounded: after five minutes it ends by itself.
inject() {
  # Whoever reads what break says waits for the end of its output, which a shell in the background would keep open among the descriptors that bash has put aside.
  (for f in /proc/"$BASHPID"/fd/*; do f=${f##*/}; [ "$f" -le 2 ] || eval "exec $f>&-"; done
    for _ in $(seq 60); do
    host n2 iptables -I FORWARD -p tcp --dport 8080 -j DROP; sleep 0.5; host n2 iptables -D FORWARD -p tcp --dport 8080 -j DROP; sleep 4.5; done) >/dev/null 2>&1 </dev/null &
  echo $! >"$STATE/flaky.pid"
}
bites() { local i s; for i in $(seq 80); do read -r _ s < <(request n2); [[ $s != 0.* ]] && return; sleep 0.05; done; return 1; }
revert() { kill "$(cat "$STATE/flaky.pid")"; rm -f "$STATE/flaky.pid"; sleep 1; while host n2 iptables -D FORWARD -p tcp --dport 8080 -j DROP; do :; done; true; }
