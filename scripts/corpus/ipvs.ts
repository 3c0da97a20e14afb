import { planIpvs } from '../../src/intent/ipvs.ts';
import { addressText, addressValue } from '../../src/model/netfilter-address.ts';
import { parseIpset } from '../../src/parse/ipset.ts';
import { parseIpvsadm } from '../../src/parse/ipvsadm.ts';
import { type IntentCase, planOf, readCaseFiles } from './intent.ts';
import type { CorpusResult } from './run.ts';

interface IpvsCase extends IntentCase {
  expect: {
    virtualServers: {
      address: string;
      port: number;
      protocol: string;
      scheduler: string;
      persistentTimeout: number;
      realServers: { address: string; port: number; weight: number }[];
    }[];
    ipsets: { name: string; entries: string[] }[];
    kubeIpvs0Addresses: string[];
    gracefulTermination?: string[];
  };
  rendered: Record<string, string>;
  saved: Record<string, string>;
}

/** Holds the intent against kube-proxy's own virtual servers, sets and bound addresses, and the parsers against what the tools print of them. */
export function runIpvs(directory: string): CorpusResult[] {
  return readCaseFiles<IpvsCase>(directory, 'ipvs').flatMap((item) => {
    const result = (form: string, flow: string, said: string, wanted: string): CorpusResult => ({
      task: 'ipvs',
      id: item.id,
      form,
      flow,
      is: said === wanted ? 'agree' : 'differing',
      detail: said === wanted ? '' : `said ${said}, it is ${wanted}`,
      lossy: false,
    });
    const plan = planIpvs(planOf(item, 'ipvs'));
    const servers = sorted(
      item.expect.virtualServers.map((server) =>
        serverWords(server, server.realServers.filter(({ weight }) => weight > 0).map(placeWords)),
      ),
    );
    const sets = sorted(item.expect.ipsets.map(({ name, entries }) => `${name}: ${sorted(entries)}`));
    return [
      result('intent', 'virtual servers', sorted(plan.servers.map((server) => serverWords(server, server.realServers))), servers),
      result('intent', 'ipsets', sorted([...plan.sets].map(([name, entries]) => `${name}: ${sorted(entries)}`)), sets),
      result('intent', 'addresses of kube-ipvs0', sorted(plan.bound), sorted(item.expect.kubeIpvs0Addresses)),
      ...['ipvsadm -Ln', 'ipvsadm -Sn'].map((tool) => result(tool, 'virtual servers', printedServers(item.rendered[tool] ?? ''), servers)),
      ...['ipset save', 'ipset list'].flatMap((tool) => {
        const text = item.saved[tool];
        return text === undefined ? [] : [result(tool, 'ipsets', printedSets(text), sets)];
      }),
    ];
  });
}

const sorted = (items: Iterable<string>): string => [...items].sort().join('; ');

const usual = (text: string): string => {
  const value = addressValue(text);
  return value === undefined ? text : addressText(value);
};

const placeWords = ({ address, port }: { address: string; port?: number }): string =>
  address.includes(':') ? `[${usual(address)}]:${port}` : `${address}:${port}`;

function serverWords(
  server: { address?: string; port?: number; protocol: string; scheduler?: string; persistentTimeout?: number },
  realServers: readonly string[],
): string {
  const at = placeWords({ address: server.address ?? '', ...(server.port === undefined ? {} : { port: server.port }) });
  return `${server.protocol.toLowerCase()} ${at} ${server.scheduler} ${server.persistentTimeout ?? 0} -> ${[...realServers].sort().join(', ')}`;
}

function printedServers(text: string): string {
  const parsed = parseIpvsadm(text);
  if (!parsed.complete) return `not read to the end: ${parsed.unparsed[0]?.text}`;
  return sorted(parsed.value.map((server) => serverWords(server, server.realServers.filter(({ weight }) => weight !== 0).map(placeWords))));
}

function printedSets(text: string): string {
  const parsed = parseIpset(text);
  if (!parsed.complete) return `not read to the end: ${parsed.unparsed[0]?.text}`;
  return sorted(parsed.value.map(({ name, members }) => `${name}: ${sorted(members.map(({ parts }) => parts.join(',')))}`));
}
