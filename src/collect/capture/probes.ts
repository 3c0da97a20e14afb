import { type MarkedTry, tryMark } from '../../model/capture-path.ts';
import type { Section } from '../script.ts';
import { quote } from '../shell.ts';

/** Seconds: time for a SYN and two retransmissions of it (RFC 6298: after 1 and 3), and for what a neighbour that does not answer does to it (3.06). */
export const tryLimit = 3;

/** Tries with source ports of their own, all at once. */
export function markedProbes(ns: string, tries: readonly MarkedTry[], http: boolean, domain: string): Section {
  const calls = tries.map((item) => {
    const { address, port } = item.target;
    const call = item.datagram
      ? `datagram ${quote(address)} ${port} ${item.sourcePort}`
      : item.protocol === 'UDP'
        ? `dns ${quote(address)} ${port} ${item.sourcePort}`
        : http && item.full
          ? `http_full ${quote(address)} ${port} ${item.sourcePort}`
          : http
            ? `http ${quote(address)} ${port} ${item.sourcePort}`
            : `connect ${quote(address)} ${port} ${item.sourcePort}`;
    return `one ${item.sourcePort} marked_${call} >"$W/marked.${item.sourcePort}" 2>&1 &`;
  });
  return {
    key: 'capture/probe',
    command: tries
      .map(({ protocol, target, sourcePort, datagram }) =>
        datagram
          ? `printf ${tryMark(sourcePort)} | nc -un -w ${tryLimit} -p ${sourcePort} ${target.address} ${target.port}`
          : protocol === 'UDP'
            ? `dig +tries=1 +time=${tryLimit} -b 0.0.0.0#${sourcePort} -p ${target.port} @${target.address} ${tryMark(sourcePort)}.${domain}.`
            : `nc -vzn -w ${tryLimit} -p ${sourcePort} ${target.address} ${target.port}`,
      )
      .join('; '),
    shell: [`NS=${ns}`, markedFunctions(domain), 'reach || exit 125', ...calls, 'wait', 'cat "$W"/marked.*'].join('\n'),
    limit: tryLimit + 7,
    lane: 'capture',
  };
}

const request = 'printf "GET / HTTP/1.0\\r\\nHost: %s\\r\\nUser-Agent: k8snet\\r\\n%sConnection: close\\r\\n\\r\\n" "$1" "$head"';

const header = '${head:+-H "${head%??}"}';

/** marked_connect, marked_http, marked_http_full, marked_dns and marked_datagram ADDRESS PORT SOURCE-PORT. Only OpenBSD's nc and curl are sure to take a source port and to tell how a connect ended. */
export const markedFunctions = (domain: string): string =>
  [
    `marked_connect() { if [ -n "$openbsd" ]; then t nc -vzn -w ${tryLimit} -p "$3" "$1" "$2"; elif has curl; then t curl -sv -o /dev/null --local-port "$3" --connect-timeout ${tryLimit} -m ${tryLimit} "telnet://$1:$2" </dev/null; else echo "k8snet: no tool that can connect from a given port (nc of OpenBSD, curl)" >&2; return 127; fi; }`,
    // More than a packet of 1500 bytes takes: its first segment is as long as the way is said to allow.
    'marked_http_full() { head=$(printf "X-K8snet: %01600d\\r\\n." 0); head=${head%.}; marked_http "$@"; }',
    `marked_http() { if [ -n "$openbsd" ]; then ${request} | t nc -vn -w ${tryLimit} -p "$3" "$1" "$2" | head -c 300; elif has curl; then t curl -sv -o /dev/null --local-port "$3" ${header} --connect-timeout ${tryLimit} -m ${tryLimit} "http://$1:$2/"; else marked_connect "$@"; fi; }`,
    // Not verbose: nc would send letters of its own to find out whether the port is open.
    `marked_datagram() { if [ -z "$openbsd" ]; then echo "k8snet: no tool that can send a datagram from a given port (nc of OpenBSD)"; else n=$(printf %s ${tryMark('$3')} | t nc -un -w ${tryLimit} -p "$3" "$1" "$2" | wc -c); [ "$n" -eq 0 ] || echo "answer of $n bytes"; fi; }`,
    `marked_dns() { if has dig; then t dig +tries=1 +time=${tryLimit} +noedns -b "0.0.0.0#$3" -p "$2" "@$1" ${tryMark('$3')}.${quote(domain)}. A; else echo "k8snet: no tool that can ask a DNS server from a given port (dig)" >&2; return 127; fi; }`,
  ].join('\n');
