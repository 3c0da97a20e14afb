import type { IpvsStats, RealServer, VirtualServer } from '../model/ipvs.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { emptyRecord } from './text-lines.ts';

interface State {
  servers: VirtualServer[];
  unparsed: UnparsedLine[];
}

/**
 * Reads `ipvsadm -Ln`, `ipvsadm -Ln --stats` and `ipvsadm -Sn` (ipvsadm 1.2x to 1.31; ipvsadm(8) and its print functions). Headings may be missing
 * (`-t`, or a grep). A listing has no end mark: `complete` only says that every line was understood.
 */
export function parseIpvsadm(text: string): Parsed<VirtualServer[]> {
  const state: State = { servers: [], unparsed: [] };
  text.split('\n').forEach((line, index) => {
    readLine(state, line.trimEnd(), index + 1);
  });
  return { value: state.servers, unparsed: state.unparsed, complete: state.unparsed.length === 0 };
}

function readLine(state: State, line: string, number: number): void {
  const isHeading = line.trim() === '' || /^(IP Virtual Server version|Prot LocalAddress:Port|\s+-> RemoteAddress:Port)/.test(line);
  if (!isHeading) {
    const read = line.startsWith('-A ') || line.startsWith('-a ') ? readCommand(state, line, number) : readListed(state, line, number);
    if (!read) state.unparsed.push({ line: number, text: line, why: 'not a line of ipvsadm' });
  }
}

function readListed(state: State, line: string, number: number): boolean {
  if (/^\s*->/.test(line)) return readRealServer(state, line, number);
  const match = /^(TCP|UDP|SCTP|FWM)\s+(\S+)\s*(.*)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return false;
  const rest = match[3] ?? '';
  const server = virtualServer(match[1].toLowerCase(), match[2], number);
  if (server === undefined) return false;
  const stats = statsOf(rest);
  if (stats !== undefined) server.stats = stats;
  else readScheduler(server, rest);
  state.servers.push(server);
  return true;
}

/** `rr persistent 10800 mask 255.255.255.0 ops -> flags` */
function readScheduler(server: VirtualServer, text: string): void {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const [scheduler, ...others] = words;
  if (scheduler !== undefined) server.scheduler = scheduler;
  const persistent = others.indexOf('persistent');
  if (persistent >= 0) server.persistentTimeout = Number(others[persistent + 1]);
  server.flags = others.filter((_, index) => persistent < 0 || (index !== persistent && index !== persistent + 1));
}

const protocols = new Map<string, VirtualServer['protocol']>(Object.entries({ tcp: 'tcp', udp: 'udp', sctp: 'sctp', fwm: 'fwmark' }));

function virtualServer(word: string, place: string, line: number): VirtualServer | undefined {
  const protocol = protocols.get(word);
  if (protocol === undefined) return undefined;
  const base = { protocol, flags: [], realServers: [], line };
  if (protocol === 'fwmark') return /^\d+$/.test(place) ? { ...base, mark: Number(place) } : undefined;
  const at = endpointOf(place);
  return at && { ...base, ...at };
}

/** `10.96.0.1:443`, `[fd00::1]:443`; a port that is no number (a service name, or cut) is left out. */
function endpointOf(text: string): { address: string; port?: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\S*)$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  if (address === undefined) return undefined;
  const port = match?.[3] ?? '';
  return /^\d+$/.test(port) ? { address, port: Number(port) } : { address };
}

const forwards = new Map<string, NonNullable<RealServer['forward']>>(
  Object.entries({ Masq: 'masq', Route: 'route', Tunnel: 'tunnel', Local: 'local' }),
);

function readRealServer(state: State, line: string, number: number): boolean {
  const server = state.servers.at(-1);
  const [place = '', ...columns] = line.replace(/^\s*->\s*/, '').split(/\s+/);
  const at = endpointOf(place);
  if (server === undefined || at === undefined) return false;
  const forward = forwards.get(columns[0] ?? '');
  if (forward !== undefined && columns.length >= 4) {
    const [weight, activeConnections, inactiveConnections] = columns.slice(1, 4).map(Number);
    if (weight === undefined || activeConnections === undefined || inactiveConnections === undefined) return false;
    server.realServers.push({ ...at, forward, weight, activeConnections, inactiveConnections, line: number });
    return true;
  }
  const stats = statsOf(columns.join(' '));
  if (stats === undefined) return false;
  server.realServers.push({ ...at, stats, line: number });
  return true;
}

/** Five numbers, with K, M, G or T for thousands where ipvsadm rounded. */
function statsOf(text: string): IpvsStats | undefined {
  const words = text.trim().split(/\s+/);
  const [connections, inPackets, outPackets, inBytes, outBytes] = words.map(rounded);
  if (words.length !== 5 || connections === undefined || inPackets === undefined || outPackets === undefined) return undefined;
  return inBytes === undefined || outBytes === undefined ? undefined : { connections, inPackets, outPackets, inBytes, outBytes };
}

const factors = new Map<string, number>(Object.entries({ '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 }));

function rounded(text: string): number | undefined {
  const match = /^(\d+)([KMGT]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (factors.get(match[2] ?? '') ?? 1);
}

/** `-A -t 10.96.0.1:443 -s rr -p 10800`, `-a -t 10.96.0.1:443 -r 10.244.1.2:6443 -m -w 1` */
function readCommand(state: State, line: string, number: number): boolean {
  const words = line.split(/\s+/);
  const [verb, kind, place] = words;
  const protocol = { '-t': 'tcp', '-u': 'udp', '--sctp-service': 'sctp', '-f': 'fwm' }[kind ?? ''];
  if (protocol === undefined || place === undefined) return false;
  const options = commandOptions(words.slice(3));
  if (verb === '-a') return addRealServer(state, virtualServer(protocol, place, number), options, number);
  const server = virtualServer(protocol, place, number);
  if (server === undefined) return false;
  if (options['-s'] !== undefined) server.scheduler = options['-s'];
  if (options['-p'] !== undefined) server.persistentTimeout = Number(options['-p']);
  state.servers.push(server);
  return true;
}

function commandOptions(words: readonly string[]): Record<string, string> {
  const flags = new Set(['-m', '-g', '-i', '-o']);
  const options = emptyRecord<string>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    options[word] = flags.has(word) ? '' : (words[++index] ?? '');
  }
  return options;
}

function addRealServer(state: State, key: VirtualServer | undefined, options: Record<string, string>, line: number): boolean {
  const server = state.servers.find(
    (candidate) =>
      candidate.protocol === key?.protocol &&
      candidate.address === key.address &&
      candidate.port === key.port &&
      candidate.mark === key.mark,
  );
  const at = endpointOf(options['-r'] ?? '');
  if (server === undefined || at === undefined) return false;
  const forward = options['-m'] !== undefined ? 'masq' : options['-i'] !== undefined ? 'tunnel' : 'route';
  server.realServers.push({ ...at, forward, ...(options['-w'] === undefined ? {} : { weight: Number(options['-w']) }), line });
  return true;
}
