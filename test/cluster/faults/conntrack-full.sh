about="the client's node has as many conntrack entries as nf_conntrack_max allows (each namespace's count is held against the machine's one maximum)"
truth="service|conntrack-table-full|n1"
symptom="no new connection leaves a pod of n1"
flows() { # FIRST COUNT: distinct UDP flows, assured, so that none is evicted early
  awk -v first="$1" -v n="$2" 'BEGIN { for (i = first; i < first + n; i++) { a = "198.18." int(i / 256) % 256 "." i % 256; p = 1024 + int(i / 65536)
    printf "-I -p udp -s %s -d 198.51.100.1 --sport %d --dport 9 -r 198.51.100.1 -q %s --reply-port-src 9 --reply-port-dst %d -t 7200 -u SEEN_REPLY,ASSURED\n", a, p, a, p } }'
}
fill() { flows "$1" "$2" >"$STATE/conntrack.in"; host n1 conntrack -R "$STATE/conntrack.in"; true; } # ends with "not enough memory": it is full
inject() {
  # what is open stays open, as in a table that filled up by itself: the kubelet keeps its connection to the API server
  local max; max=$(host n1 cat /proc/sys/net/netfilter/nf_conntrack_max); fill 0 "$max"
  # what connections that ended meanwhile leave free is taken too, for as long as the last of them are in TIME_WAIT
  (for i in $(seq 26); do fill $((max + i * 1000)) 900; sleep 5; done) >/dev/null 2>&1 & echo $! >"$STATE/conntrack.pid"
}
bites() { times_out svc && times_out n2; }
revert() { kill "$(cat "$STATE/conntrack.pid")"; sleep 1; host n1 conntrack -D -p udp -d 198.51.100.1; rm -f "$STATE"/conntrack.*; }
