import type { Section } from './script.ts';
import { quote } from './shell.ts';

/** Where a probe starts from: `pod/NAMESPACE/NAME` or `node/NAME`. */
export type Origin = string;

export interface ProbeTarget {
  address: string;
  port: number;
  protocol: 'TCP' | 'UDP' | 'SCTP';
  /** `http` or `https` when the Service says so: then a request is sent and the first byte waited for. */
  speaks: 'http' | 'https' | null;
}

/** Seconds for a connect. Longer than the 3.06 s after which a failed neighbour gives EHOSTUNREACH, so that the two can be told apart. */
export const connectLimit = 4;
export const serviceTries = 12;
const dnsLimit = 2;

/** The name as an application writes it (search list), and as an absolute name. */
export function nameProbes(origin: Origin, ns: string, shortName: string, absoluteName: string): Section[] {
  return [
    {
      key: `probe/${origin}/name/${shortName}`,
      command: `getent ahostsv4 ${shortName}`,
      shell: `NS=${ns}; lookup ${quote(shortName)} ${dnsLimit}`,
      limit: 25,
      lane: `${origin}/name`,
    },
    {
      key: `probe/${origin}/name/${absoluteName}.`,
      command: `getent ahostsv4 ${absoluteName}.`,
      shell: `NS=${ns}; lookup ${quote(`${absoluteName}.`)} ${dnsLimit}`,
      limit: 15,
      lane: `${origin}/absolute-name`,
    },
  ];
}

/** One DNS server, asked directly, several times: three questions to a process, so that a silent server costs no more than 6 s. */
export function dnsServerProbe(origin: Origin, ns: string, server: string, name: string, tries: number): Section {
  return {
    key: `probe/${origin}/dns-server/${server}`,
    command: `dig @${server} ${name} A`,
    shell: `NS=${ns}; tries ${Math.ceil(tries / 3)} digs ${quote(server)} ${quote(`${name}.`)} ${Math.min(tries, 3)} ${dnsLimit}`,
    limit: 15,
    lane: `${origin}/dns/${server}`,
  };
}

/** Connects (and, where it speaks HTTP, an answer) to one address, several tries at once. */
export function connectProbe(
  origin: Origin,
  ns: string,
  stage: 'service' | 'endpoint',
  target: ProbeTarget,
  tries: number,
): Section | null {
  if (target.protocol !== 'TCP') return null;
  const { address, port, speaks } = target;
  const address4 = address.includes(':') ? `[${address}]` : address;
  const call = speaks ? `http ${speaks} ${quote(address)} ${port} ${connectLimit}` : `tcp ${quote(address)} ${port} ${connectLimit}`;
  return {
    key: `probe/${origin}/${stage}/${address4}:${port}`,
    command: speaks ? `curl -v ${speaks}://${address4}:${port}/` : `nc -vz ${address} ${port}`,
    shell: `NS=${ns}; tries ${tries} ${call}`,
    limit: connectLimit + 8,
    lane: `${origin}/${stage}/${address4}:${port}`,
  };
}

/** Connects to a name as an application would: whatever address its lookup gives. For Services that are no more than a name. */
export function connectByNameProbe(origin: Origin, ns: string, name: string, port: number, tries: number): Section {
  const address = `lookup ${quote(`${name}.`)} ${dnsLimit} | awk '$4=="A"{print $5; exit} /^Name:/{n=1} n&&/^Address/{print $NF; exit}'`;
  return {
    key: `probe/${origin}/service/${name}:${port}`,
    command: `nc -vz ${name} ${port}`,
    shell: `NS=${ns}; a=$(${address}); [ -n "$a" ] || { echo "k8snet: the name has no address" >&2; exit 1; }; tries ${tries} tcp "$a" ${port} ${connectLimit}`,
    limit: connectLimit + 20,
    lane: `${origin}/service/${name}:${port}`,
  };
}

/**
 * Echo requests from a node to another node's address, past every overlay; where they stay unanswered, a connect to the kubelet's port, so that a network
 * that filters ICMP is not taken for one that is cut (open and refused both mean that the node answers).
 */
export function nodeReachProbe(node: string, address: string): Section {
  const to = quote(address);
  return {
    key: `probe/node/${node}/node/${address}`,
    command: `ping -n -c 2 -W 1 ${address}`,
    shell: `NS=host; if has ping; then t ping -n -c 2 -W 1 ${to} 2>&1 || { echo "k8snet-kubelet"; one 1 tcp ${to} 10250 3; }; else echo "k8snet: no ping" >&2; exit 127; fi; true`,
    limit: 10,
    lane: `node/${node}/node/${address}`,
  };
}
