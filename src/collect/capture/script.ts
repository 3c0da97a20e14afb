import { type CaptureBackend, mostPackets } from '../../model/capture-path.ts';
import { functionsOf, type Namespace } from '../prelude.ts';
import { buildScript, type Section } from '../script.ts';
import { quote } from '../shell.ts';
import { type CaptureTarget, countersSections, countersSetup, type IdleInterval } from './counters.ts';

/** Bounds of what a capture may cost a node. */
export const captureBounds = {
  packets: mostPackets,
  /** Enough for the headers of a tunnel, and of the packet in it: no payload beyond the first bytes. */
  snapLength: 160,
  /** The same for questions and answers of DNS, which are all ours: the name stands behind the headers. */
  dnsSnapLength: 300,
  /** Everything ends by itself after these, whatever becomes of us. */
  seconds: 20,
  /** Events of dropped packets that are brought home. */
  dropBytes: 300_000,
};

/** What the script says when every capture listens (or has failed), so that the probe may start. */
export const listeningMark = (nonce: string): string => `@@k8snet:${nonce}:listening`;

/** The line that ends a capture, and the same where every try ended so soon that nothing of it is under way any more. */
export const endWord = 'end';
export const quietWord = 'quiet';

interface CaptureSetup {
  nonce: string;
  filter: string;
  /** Bytes of a packet that are captured. */
  snapLength: number;
  targets: readonly CaptureTarget[];
  /** Endpoints whose rules are counted. */
  backends: readonly CaptureBackend[];
  /** Whether dropped packets are read from the kernel's trace. */
  drops: boolean;
  idle: IdleInterval;
}

/** What the kernel takes to make a trace instance. */
const instanceCentiseconds = 20;

/** The whole script of a node: it captures until it is told to end, and brings home what `captureSections` names. */
export function captureScript(sections: readonly Section[], namespaces: readonly Namespace[], options: CaptureSetup): string {
  return buildScript(sections, functionsOf('node-pod', namespaces, captureSetup(options, sections)), options.nonce).script;
}

/**
 * The part of a node's script that runs before its sections: starts one tcpdump for each namespace, on all devices at once, waits until each says "listening on",
 * says so, and goes on when a line comes on standard input, or its end: when the other side is gone, so is the capture. An EXIT trap takes everything away.
 *
 * Dropped packets are read from a trace instance of our own (Documentation/trace/ftrace.rst, "Instances"), in a tracefs mounted for this container alone: the
 * node's own tracing is not touched. Its clock is CLOCK_TAI (Linux 5.19), which is the clock of captures but for whole seconds.
 */
function captureSetup({ nonce, filter, snapLength, targets, backends, drops, idle }: CaptureSetup, sections: readonly Section[]): string {
  return [
    opening(filter),
    waitForWord(captureBounds.seconds + 10),
    countersSetup(
      targets,
      backends,
      sections.findIndex(({ isWritten }) => isWritten),
      idle,
    ),
    startCapture(`-s ${snapLength} -c ${captureBounds.packets}`, captureBounds.seconds, '"$1.pcap"'),
    ...(drops ? [dropsOn(nonce, captureBounds.seconds)] : []),
    'counters 0; began=$(now)',
    ...targets.map(({ ns }, index) => `cap_start ${index} ${ns}`),
    'cap_wait',
    // The pod may be killed at any moment, and the instance would stay: it is there as short as can be, and made while there is nothing else to do.
    ...(drops ? [`counters_idle ${instanceCentiseconds}`, 'drops_on 2>"$w/drops.err"'] : []),
    'counters_idle 0; counters 1',
    `echo "${listeningMark(nonce)}"`,
    'wait "$word"',
    // What is under way still comes; a packet that the kernel has handed over is written within a tick.
    `if grep -q ${quietWord} "$w/word"; then sleep 0.05; else sleep 0.2; fi`,
    // A reading takes a processor, a trace instance the kernel's patience: both at once.
    'counters 2 & reading=$!',
    ...(drops ? ['drops_read'] : []),
    'cap_stop',
    // The EXIT trap does it again if this shell is ended before.
    ...(drops ? ['drops_off & leaving=$!'] : []),
    'wait "$reading"',
    ...(drops ? ['wait "$leaving"; ti=; tr='] : []),
  ].join('\n');
}

/**
 * The same for one namespace and a long time: the capture is the script's own standard output (createPacketRing reads it), and its file header says that it
 * listens. It is bounded by the seconds alone; of dropped packets the kernel itself keeps the last ones.
 */
export function streamSetup(options: {
  nonce: string;
  filter: string;
  snapLength: number;
  ns: string;
  drops: boolean;
  seconds: number;
}): string {
  const { nonce, filter, snapLength, ns, drops, seconds } = options;
  return [
    opening(filter),
    startCapture(`-s ${snapLength}`, seconds, '&3'),
    'exec 3>&1',
    ...(drops ? [dropsOn(nonce, seconds), 'drops_on 2>"$w/drops.err" >/dev/null'] : []),
    `cap_start 0 ${ns}`,
    'cap_wait >/dev/null',
    // Without a capture there is nothing to wait for.
    'if grep -q "listening on" "$w/cap.0.err"; then',
    waitForWord(seconds),
    'wait "$word"; sleep 0.2',
    ...(drops ? ['drops_read'] : []),
    'fi',
    'cap_stop',
    'drops_off',
  ].join('\n');
}

const opening = (filter: string): string =>
  [
    '. "$w/prelude"',
    'caps=; waits=; tr=; ti=; compiled=',
    stopCaptures,
    dropsOff,
    'trap \'drops_off; cap_stop; rm -rf "$w"\' EXIT',
    `filter=${quote(filter)}`,
  ].join('\n');

/** A capture as a person would type it. */
export const captureCommand = (snapLength: number): string => `tcpdump -i any -y LINUX_SLL2 -n -s ${snapLength}`;

/**
 * What is brought home of each target: the capture in base64, what tcpdump said, the devices; of the node, its dropped packets; and three readings of the
 * counters of each.
 */
export function captureSections(
  node: string,
  { snapLength, targets, backends, drops }: Pick<CaptureSetup, 'snapLength' | 'targets' | 'backends' | 'drops'>,
): Section[] {
  return [...packetSections(node, targets, drops, snapLength), ...countersSections(targets, backends)];
}

/** Those of the packets alone. */
export function packetSections(node: string, targets: readonly CaptureTarget[], drops: boolean, snapLength: number): Section[] {
  const of = (key: string, command: string, shell: string): Section => ({ key, command, shell, limit: 15, lane: 'capture' });
  return [
    ...targets.flatMap(({ key }, index) => [
      of(
        `${key}/pcap`,
        `${captureCommand(snapLength)} -c ${captureBounds.packets} -w - FILTER | base64`,
        `[ -s "$W/cap.${index}.pcap" ] || { cat "$W/cap.${index}.err" >&2; exit 1; }; exec base64 <"$W/cap.${index}.pcap"`,
      ),
      of(`${key}/tcpdump`, 'tcpdump (what it said)', `exec cat "$W/cap.${index}.err"`),
      of(`${key}/ip-link`, 'ip -d link', `exec cat "$W/cap.${index}.link"`),
    ]),
    ...(drops
      ? [
          of(
            `capture/node/${node}/drops`,
            'cat /sys/kernel/tracing/instances/k8snet/trace  # skb:kfree_skb',
            '[ -s "$W/drops.out" ] || { cat "$W/drops.err" >&2; exit 1; }; exec cat "$W/drops.out"',
          ),
        ]
      : []),
  ];
}

/**
 * cap_start INDEX NAMESPACE. The filter is compiled first (-d): what tcpdump does not understand is said, and captures nothing. Without --immediate-mode libpcap
 * hands packets over once a second, and what it holds when it is ended is lost (pcap_set_immediate_mode(3PCAP)).
 */
const startCapture = (bounds: string, seconds: number, to: string): string =>
  [
    'cap_start() {',
    'NS=$2; set -- "$w/cap.$1"; net=; m=',
    'if [ "$NS" != host ]; then pod_pid 2>"$1.err" || return; net="--net=/proc/$p/ns/net"; fi',
    'case "$own " in *" tcpdump "*) ;; *) m="--mount=/proc/1/ns/mnt"; case "$theirs " in *" tcpdump "*) ;; *) echo "k8snet: neither the image nor the node has tcpdump" >"$1.err"; return;; esac;; esac',
    't ip -d link >"$1.link" 2>/dev/null',
    'enter=; [ -n "$net$m" ] && enter="nsenter $net $m --"',
    '[ -n "$compiled" ] || { $enter tcpdump -y LINUX_SLL2 -d "$filter" >/dev/null 2>"$1.err" || return; compiled=1; }',
    `timeout -k 1 ${seconds} $enter tcpdump -i any -y LINUX_SLL2 -n --immediate-mode -U ${bounds} -w - "$filter" </dev/null >${to} 2>"$1.err" &`,
    'caps="$caps $!"; waits="$waits $1.err"',
    '}',
    // What began late may have missed the probe: it is no capture.
    'cap_wait() { i=0; for e in $waits; do while [ $i -lt 150 ] && ! grep -q "listening on" "$e"; do sleep 0.02; i=$((i+1)); done; grep -q "listening on" "$e" || { rm -f "${e%.err}.pcap"; echo "k8snet: tcpdump did not listen in time" >>"$e"; }; done; }',
  ].join('\n');

/**
 * Waits in the background for a line on standard input, or so many seconds; `wait "$word"` waits for that. The end of the input without a line: the other side is
 * gone, nobody reads what is captured, and the pod may be deleted at any moment.
 */
const waitForWord = (seconds: number): string =>
  [
    'exec 4<&0',
    `{ limit ${seconds} head -n 1 <&4 >"$w/word" 2>/dev/null; r=$?; [ -s "$w/word" ] || [ "$r" = 124 ] || kill -TERM $$; } &`,
    'word=$!',
  ].join('\n');

const stopCaptures =
  'cap_stop() { [ -n "$caps" ] || return; kill -TERM $caps 2>/dev/null; i=0; while [ $i -lt 100 ] && kill -0 $caps 2>/dev/null; do sleep 0.02; i=$((i+1)); done; kill -KILL $caps 2>/dev/null; caps=; }';

/** No packet of a marked connection ends like this before it has come to its socket; a full socket counts it too (UdpRcvbufErrors). */
const commonReasons = 'SOCKET_RCVBUFF SOCKET_CLOSE QUEUE_PURGE TCP_OLD_SEQUENCE TCP_OLD_DATA TCP_ABORT_ON_DATA';

/** An instance has the time in its name at which its capture has ended at the latest: one that a killed node pod left behind is older. */
const dropsOn = (nonce: string, seconds: number): string =>
  [
    'drops_on() {',
    'tr=$(mktemp -d /tmp/k8snet-trace.XXXXXX) && mount -t tracefs k8snet "$tr" || { [ -n "$tr" ] && rmdir "$tr"; tr=; return; }',
    'for o in "$tr"/instances/k8snet-*; do [ -d "$o" ] && s=${o##*/k8snet-} && [ $(($(date +%s)-${s%%-*})) -gt 100 ] && { echo 0 >"$o/events/enable"; rmdir "$o"; }; done',
    `ti="$tr/instances/k8snet-$(($(date +%s)+${seconds}))-${nonce}"; mkdir "$ti" || { ti=; return; }`,
    'echo 256 >"$ti/buffer_size_kb"; echo tai >"$ti/trace_clock" || return',
    // IPv4 and ARP; without what a busy node has by the thousand each second (full sockets, closed connections): the buffer is small. Reasons have other numbers
    // in each kernel.
    'f="(protocol == 2048 || protocol == 2054)"',
    `for n in ${commonReasons}; do r=$(sed -n "s/.*{ *\\([0-9]*\\), *"$n" *}.*/\\1/p" "$ti/events/skb/kfree_skb/format"); [ -z "$r" ] || f="$f && reason != $r"; done`,
    'echo "$f" >"$ti/events/skb/kfree_skb/filter" || return',
    'echo 1 >"$ti/events/skb/kfree_skb/enable"',
    '}',
    `drops_read() { [ -n "$ti" ] || return; echo 0 >"$ti/events/skb/kfree_skb/enable"; tail -c ${captureBounds.dropBytes} "$ti/trace" >"$w/drops.out"; }`,
  ].join('\n');

/** The mount is never inside the directory that is removed with all that is in it. */
const dropsOff =
  'drops_off() { [ -n "$ti" ] && { echo 0 >"$ti/events/enable"; rmdir "$ti"; } 2>/dev/null; ti=; [ -n "$tr" ] && umount "$tr" && rmdir "$tr"; tr=; }';
