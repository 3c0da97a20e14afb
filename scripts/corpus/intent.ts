import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Expected, expectedOutcome } from '../../src/intent/expected.ts';
import { type IntentNode, type NodePlan, planNode } from '../../src/intent/node-plan.ts';
import type { Family } from '../../src/intent/service-ports.ts';
import { defaultSettings, type LocalDetector, type ProxySettings } from '../../src/intent/settings.ts';
import { addressText, addressValue } from '../../src/model/netfilter-address.ts';
import { endpointSliceSchema, serviceSchema } from '../../src/schema/kubernetes.ts';
import type { CorpusFlow } from './cases.ts';
import type { CorpusResult } from './run.ts';

/** The parts of a case of the iptables, nftables and ipvs corpora from which kube-proxy's task follows. */
export interface IntentCase {
  id: string;
  ipFamily: string;
  nodeName: string;
  nodeIP: string;
  nodeIPs: string[];
  services: unknown[];
  endpointSlices: unknown[];
  flows?: (CorpusFlow & { kernel: { stickyOverTenPackets?: boolean } })[];
  localDetector: { kind: string; podCIDR?: string; ifLocal?: string[] };
  config: {
    masqueradeAll?: boolean;
    localhostNodePorts?: boolean;
    nodePortAddresses: string;
    topologyLabels: Record<string, string> | null;
    serviceCIDRs?: string;
    scheduler?: string;
  };
}

/** Main files of a task; side files with raw nft JSON are left out. */
export function readCaseFiles<T>(directory: string, task: string): T[] {
  const folder = join(directory, task);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !/\.nft-[\d.]+\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T);
}

/** The plan that follows from the API objects of a case. */
export function planOf(item: IntentCase, mode: ProxySettings['mode']): NodePlan {
  const family: Family = item.ipFamily === 'IPv6' ? 'ip6' : 'ip';
  return planNode(
    {
      services: item.services.map((service) => serviceSchema.parse(service)),
      slices: item.endpointSlices.map((slice) => endpointSliceSchema.parse(slice)),
    },
    nodeOf(item, family),
    settingsOf(item, mode, family),
    family,
  );
}

function nodeOf(item: IntentCase, family: Family): IntentNode {
  return {
    name: item.nodeName,
    zone: item.config.topologyLabels?.['topology.kubernetes.io/zone'] ?? '',
    addresses: item.nodeIPs,
    primary: item.nodeIP === '<nil>' ? {} : { [family]: item.nodeIP },
    nodeHintsCount: true,
  };
}

function settingsOf({ config, localDetector }: IntentCase, mode: ProxySettings['mode'], family: Family): ProxySettings {
  const addresses = config.nodePortAddresses.replace(/^\[|\]$/g, '').split(' ');
  const cidr = localDetector.podCIDR ?? localDetector.ifLocal?.at(-1);
  const detector: LocalDetector =
    localDetector.kind === 'none' || cidr === undefined ? { kind: 'none' } : { kind: 'cidr', cidrs: { [family]: cidr } };
  return {
    ...defaultSettings(mode),
    localDetector: detector,
    masqueradeAll: config.masqueradeAll ?? false,
    localhostNodePorts: config.localhostNodePorts ?? false,
    nodePortAddresses: addresses.some((range) => range.endsWith('/0')) ? 'all' : addresses,
    serviceCIDRs: (config.serviceCIDRs ?? '').split(',').filter((range) => range !== ''),
    scheduler: config.scheduler ?? 'rr',
  };
}

/** Holds what the API means against what a kernel with kube-proxy's rules did, for every flow of the iptables and nftables corpora. */
export function runIntent(directory: string, task: 'iptables' | 'nftables'): CorpusResult[] {
  return readCaseFiles<IntentCase>(directory, task).flatMap((item) => {
    const plan = planOf(item, task);
    return (item.flows ?? []).map((flow): CorpusResult => {
      const [said, measured] = [inWords(expectedOutcome(plan, flowOf(plan, flow))), measuredWords(flow)];
      return {
        task,
        id: item.id,
        form: 'intent',
        flow: flow.name,
        is: said === measured ? 'agree' : said.startsWith('unknown') ? 'insufficient' : 'differing',
        detail: said === measured ? '' : `by the API ${said}, the kernel did ${measured}`,
        lossy: false,
      };
    });
  });
}

const flowOf = (plan: NodePlan, flow: CorpusFlow) => ({
  source: usual(flow.sourceIP),
  destination: usual(flow.destIP),
  protocol: flow.protocol.toLowerCase(),
  destinationPort: flow.destPort,
  origin: plan.isLocal(usual(flow.sourceIP)) ? ('node' as const) : ('network' as const),
});

const usual = (text: string): string => {
  const value = addressValue(text);
  return value === undefined ? text : addressText(value);
};

function inWords(expected: Expected): string {
  if (expected.kind === 'unknown') return `unknown: ${expected.why}`;
  if (expected.kind !== 'translated') return { rejected: 'reject', dropped: 'drop', accepted: 'none', untouched: 'none' }[expected.kind];
  const endpoints = [...expected.endpoints].map(([key, { masquerade }]) => `${key}${masquerade === true ? ' masqueraded' : ''}`);
  return `dnat ${endpoints.sort().join(', ')}${expected.front.planned.port.affinitySeconds === null || endpoints.length < 2 ? '' : ', sticky'}`;
}

function measuredWords({ kernel }: NonNullable<IntentCase['flows']>[number]): string {
  if (kernel.kind === 'icmp-unreachable') return 'reject';
  if (kernel.kind === 'nothing') return 'drop';
  if (kernel.kind !== 'dnat') return 'none';
  const endpoints = Object.entries(kernel.endpoints ?? {}).map(([key, { masquerade }]) => `${key}${masquerade ? ' masqueraded' : ''}`);
  return `dnat ${endpoints.sort().join(', ')}${kernel.stickyOverTenPackets === true && endpoints.length > 1 ? ', sticky' : ''}`;
}
