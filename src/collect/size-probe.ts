import type { Origin } from './probe-sections.ts';
import type { Section } from './script.ts';
import { quote } from './shell.ts';

/**
 * Small and full-size packets with "don't fragment" both ways to a pod address, and the fragments that came back
 * (the kernel answers an echo without DF, so a smaller way back shows as reassembly: Documentation/networking/ip-sysctl.rst, ip_no_pmtu_disc).
 * Only where full-size packets don't pass: the largest that does, how far they get, and what the kernel keeps of the path (ip-route(8), `cache … mtu`).
 */
export function sizeProbe(origin: Origin, ns: string, address: string): Section {
  const to = quote(address);
  const shell = [
    `NS=${ns}`,
    'has ping || { echo "k8snet: no ping" >&2; exit 127; }',
    `d=$(t ip route get ${to} 2>/dev/null | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -1)`,
    `m=$(t ip -o link show "$d" 2>/dev/null | sed -n 's/.* mtu \\([0-9]*\\).*/\\1/p')`,
    '[ -n "$m" ] || { echo "k8snet: no route and no device mtu" >&2; exit 1; }',
    'echo "k8snet-mtu dev=$d mtu=$m"',
    `echo "k8snet-before $(${reassembly})"`,
    // Only root may send more often than each 0.2 s (ping(8) of iputils before 20210722).
    'iv=0.2; [ "$(id -u)" = 0 ] && iv=0.02',
    `sized() { t ping -n -c 2 -i $iv -W 1 -t "\${3:-64}" -M do -s $(($1-28)) ${to} >"$W/$2.$$.$1" 2>&1; }`,
    `small=${smallest}; sized $small size & sized $m size; wait`,
    `show() { echo "k8snet-ping size=$2"; cat "$W/$1.$$.$3"; rm -f "$W/$1.$$.$3"; }`,
    'passed() { grep -q "bytes from" "$W/size.$$.$1"; }',
    'told=$(sed -n "s/.*mtu *[=:] *\\([0-9][0-9]*\\).*/\\1/p" "$W/size.$$.$m" | head -1)',
    'lost=; passed $small && ! passed $m && lost=1',
    `show size small $small; show size "$m" "$m"`,
    `echo "k8snet-after $(${reassembly})"`,
    `if [ -n "$lost" ]; then ${reach} ${search}; wait; ${showReach}; echo "k8snet-route"; t ip route get ${to} 2>&1; fi`,
    'true',
  ].join('; ');
  return {
    key: `probe/${origin}/payload/${address}`,
    command: `ping -M do -s MTU-28 ${address}`,
    shell,
    limit: 15,
    lane: `${origin}/payload/${address}`,
  };
}

/** Bytes of the small packet: an echo request with ping's usual 56 bytes of data. */
const smallest = 84;

const reassembly =
  't cat /proc/net/snmp | awk \'$1=="Ip:"{if(h==""){h=$0}else{split(h,k);for(i in k)if(k[i]=="ReasmReqds"||k[i]=="ReasmOKs"||k[i]=="ReasmFails")printf "%s=%s ",k[i],$i;print ""}}\'';

/**
 * A dozen sizes at once between the largest that passed and the smallest above it that did not, then a dozen between those two: three rounds of a second
 * for 1500 bytes, four for 9000, never more than five. The size that an ICMP message names is tried before: it is nearly always right. Random loss can't make the
 * result too large, and two of each size are sent so that it hardly makes it too small.
 */
const search = [
  'lo=$small; hi=$m; n=0',
  'if [ -n "$told" ] && [ "$told" -gt $lo ] && [ "$told" -lt "$hi" ]; then sized $told size; if passed $told; then lo=$told; hi=$((told+1)); else hi=$told; fi; show size $told $told; fi',
  'while [ $((hi-lo)) -gt 1 ] && [ $n -lt 5 ]; do n=$((n+1)); step=$(((hi-lo+12)/13)); list=; s=$((lo+step)); while [ $s -lt $hi ]; do list="$list $s"; sized $s size & s=$((s+step)); done; wait; for s in $list; do if passed $s; then lo=$s; fi; done; for s in $list; do if [ $s -gt $lo ] && [ $s -lt $hi ]; then hi=$s; fi; done; for s in $list; do show size $s $s; done; done',
].join('; ');

/**
 * How far a full-size packet gets: with a time to live of 2 the second router (the far node, where one node's pod speaks to another's) answers "time to live
 * exceeded" in a few bytes, which a narrow way back can't stop (RFC 1812, 5.3.1). The small one is sent after it and shows that the router answers at all,
 * and has not used up its rate of answers (icmp_ratelimit).
 */
const reach = 'for s in $m $small; do sized $s reach 2; done &';
const showReach =
  'echo "k8snet-reach size=$m"; cat "$W/reach.$$.$m"; echo "k8snet-reach size=small"; cat "$W/reach.$$.$small"; rm -f "$W/reach.$$.$m" "$W/reach.$$.$small"';
