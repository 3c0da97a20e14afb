about="the client's node has as many conntrack entries as nf_conntrack_max allows (each namespace's count is held against the machine's one maximum)"
truth="service|conntrack-table-full|n1"
symptom="no new connection leaves a pod of n1"
inject() { local max i; max=$(host n1 cat /proc/sys/net/netfilter/nf_conntrack_max)
  awk -v n="$max" 'BEGIN { for (i = 0; i < n + 4096; i++) printf "-I -p udp -s 198.18.%d.%d -d 198.51.100.1 --sport %d --dport 9 -r 198.51.100.1 -q 198.18.%d.%d --reply-port-src 9 --reply-port-dst %d -t 7200 -u SEEN_REPLY,ASSURED\n", i / 256 % 256, i % 256, 1024 + int(i / 65536), i / 256 % 256, i % 256, 1024 + int(i / 65536) }' >"$STATE/conntrack.in"
  host n1 conntrack -R "$STATE/conntrack.in" >/dev/null; rm -f "$STATE/conntrack.in"; host n1 conntrack -C; }
bites() { times_out svc && times_out n2; }
revert() { host n1 conntrack -D -p udp -d 198.51.100.1 >/dev/null; }
