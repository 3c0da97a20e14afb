import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type NodePlan, planNode } from '../src/intent/node-plan.ts';
import type { NodeTables } from '../src/intent/node-tables.ts';
import { defaultSettings } from '../src/intent/settings.ts';
import { verifyNode } from '../src/intent/verify-node.ts';
import { findTable, type NetfilterRuleset } from '../src/model/netfilter.ts';
import { absent } from '../src/model/observed.ts';
import { newConnection, type Packet } from '../src/model/packet.ts';
import { parseIptablesSave } from '../src/parse/iptables-save.ts';
import { parseNftText } from '../src/parse/nft-text.ts';
import { runRule } from '../src/walk/netfilter/rule.ts';
import type { ChainWalk } from '../src/walk/netfilter/run.ts';
import { traverseNode } from '../src/walk/netfilter/traverse.ts';
import { initialState } from '../src/walk/netfilter/types.ts';
import { evaluateHook, type WalkContext } from '../src/walk/netfilter.ts';
import {
  endpointSlicesOf,
  type GeneratedService,
  generateServices,
  iptablesSaveOf,
  nftTextOf,
  podNetwork,
  servicesOf,
} from './generate-rules.ts';

/**
 * `npm run bench:walk [-- --json] [--services N]`: the walk on a node with N Services (10,000) of 10 endpoints each, in kube-proxy's iptables and
 * nftables forms, and with a tenth of them. A walk of `prerouting` sends the first packet of a pod to a ClusterIP through PREROUTING and follows it
 * to each endpoint, which is ten forks: ten times as many endpoints are followed as walks are made. One of `node` goes on with each endpoint through
 * FORWARD and POSTROUTING. Rates are given by the clock and by the processor's time, which tells more on a busy machine; but caches that others use
 * too make either of them lower, so that two versions are compared at the same time only. Every form and size is measured in a process of its own,
 * so that memory is its own.
 */
interface Part {
  services: number;
  rulesetMegabytes: number;
  /** First walk, which makes the indexes; and the mean of the next ones. */
  indexSeconds: number;
  prerouting: Rate;
  node: Rate;
  verifySeconds: number;
  verifyProcessorSeconds: number;
  verifiedFlows: number;
  differences: number;
  peakMegabytes: number;
  /** Time of a walk through PREROUTING that asks every rule of KUBE-SERVICES in turn, over one that the index leads; iptables only. */
  linearScanOverWalk: number | null;
}

interface Rate {
  perSecond: number;
  perProcessorSecond: number;
}

type Form = 'iptables' | 'nftables';

function bench(): void {
  const asked = process.argv.indexOf('--services');
  const most = asked > 0 ? Number(process.argv[asked + 1]) : 10_000;
  const part = (form: Form, services: number): Part =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--part', form, String(services)], { encoding: 'utf8' }),
    ) as Part;
  const result = Object.fromEntries(
    (['iptables', 'nftables'] as const).map((form) => {
      const [small, large] = [part(form, most / 10), part(form, most)];
      return [form, { small, large, growthPerTenfold: growthOf(small, large) }];
    }),
  );
  if (!process.argv.includes('--json')) console.dir(result, { depth: null });
  console.log(JSON.stringify(result));
}

/** How many times as long ten times the Services take: 10 is linear; for one walk 1 would be the same. */
const growthOf = (small: Part, large: Part): Record<string, number> => ({
  index: round(large.indexSeconds / small.indexSeconds),
  walk: round(small.prerouting.perProcessorSecond / large.prerouting.perProcessorSecond),
  verify: round(large.verifyProcessorSeconds / small.verifyProcessorSeconds),
  memory: round(large.peakMegabytes / small.peakMegabytes),
});

const nodeAddress = '192.168.1.11';
const context: WalkContext = { localAddresses: [nodeAddress], addressType: () => 'UNICAST', recentListsEmpty: true };
const route = () => ({ to: 'device', outInterface: 'flannel.1' }) as const;

function measure(form: Form, count: number): Part {
  const services = generateServices(count, 10);
  const text = form === 'iptables' ? iptablesSaveOf(services) : nftTextOf(services);
  const parsed = form === 'iptables' ? parseIptablesSave(text) : parseNftText(text);
  if (!parsed.complete) throw new Error(`the generated rules were not understood: ${parsed.unparsed[0]?.text}`);
  const rulesets = [parsed.value];
  const node = (service: GeneratedService) => traverseNode(rulesets, packetTo(service), { origin: 'network', route }, context);
  const prerouting = (service: GeneratedService) => evaluateHook(rulesets, 'prerouting', packetTo(service), context);
  const [first] = services;
  if (first === undefined) throw new RangeError('no Services');
  const indexSeconds = secondsOf(() => node(first)).clock;
  if (prerouting(first).filter(({ dnat }) => dnat !== undefined).length !== 10) throw new Error('the walk does not lead to the endpoints');
  const rates = { prerouting: rateOf(prerouting, services), node: rateOf(node, services) };
  const [plan, tables] = intentOf(form, services, rulesets);
  let verification: ReturnType<typeof verifyNode> | undefined;
  const verify = secondsOf(() => {
    verification = verifyNode(plan, tables, { pods: ['10.128.0.250'] }, true);
  });
  return {
    services: count,
    rulesetMegabytes: round(text.length / 1e6),
    indexSeconds: round(indexSeconds),
    ...rates,
    verifySeconds: round(verify.clock),
    verifyProcessorSeconds: round(verify.processor),
    verifiedFlows: verification?.flows ?? 0,
    differences: verification?.differences.length ?? 0,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
    linearScanOverWalk: form === 'iptables' ? linearScan(parsed.value, services, rates.prerouting) : null,
  };
}

/** Made for each walk, as a run does: of packets that are kept V8 learns to give all later ones a place among what lives long. */
const packetTo = (service: GeneratedService): Packet =>
  newConnection({
    family: 'ip',
    source: '10.128.0.250',
    destination: service.clusterIP,
    protocol: 'tcp',
    sourcePort: 40_000,
    destinationPort: service.port,
    inInterface: 'cni0',
  });

/** Walks to all Services in turn, each far from the one before, for three seconds of the processor after half a one to warm up. */
function rateOf(walk: (service: GeneratedService) => unknown, services: readonly GeneratedService[]): Rate {
  const walkFor = (seconds: number): { walks: number; clock: number; processor: number } => {
    let walks = 0;
    const spent = secondsOf(() => {
      const until = process.cpuUsage().user + seconds * 1e6;
      do {
        for (let step = 0; step < 50; step++) {
          const service = services[(walks * 7919) % services.length];
          if (service !== undefined) walk(service);
          walks++;
        }
      } while (process.cpuUsage().user < until);
    });
    return { walks, ...spent };
  };
  walkFor(0.5);
  const { walks, clock, processor } = walkFor(3);
  return { perSecond: Math.round(walks / clock), perProcessorSecond: Math.round(walks / processor) };
}

/** What the walk would be without an index: every rule of KUBE-SERVICES is asked until one leads to the Service. */
function linearScan(ruleset: NetfilterRuleset, services: readonly GeneratedService[], walk: Rate): number {
  const table = findTable(ruleset, 'nat');
  const chain = table?.chains.find(({ name }) => name === 'KUBE-SERVICES');
  if (table === undefined || chain === undefined) throw new Error('no KUBE-SERVICES');
  const place = { ruleset, table, hook: 'prerouting' as const };
  const scan = (service: GeneratedService): void => {
    let found = false;
    const enter = (): void => {
      found = true;
    };
    const states = [initialState(packetTo(service))];
    const walk: ChainWalk = { place, chain, context, depth: 0, next: states, returned: [], ended: [], enter };
    for (const rule of chain.rules) {
      runRule(walk, rule, states);
      if (found) return;
    }
  };
  const [scanned, walked] = [rateOf(scan, services).perProcessorSecond, walk.perProcessorSecond];
  return round((1 / scanned + 1 / walked) / (1 / walked));
}

function intentOf(form: Form, services: readonly GeneratedService[], rulesets: NetfilterRuleset[]): [NodePlan, NodeTables] {
  const settings = { ...defaultSettings(form), localDetector: { kind: 'cidr', cidrs: { ip: podNetwork } } } as const;
  const node = { name: 'n1', zone: '', addresses: [nodeAddress], primary: { ip: nodeAddress }, nodeHintsCount: false };
  const plan = planNode({ services: servicesOf(services), slices: endpointSlicesOf(services) }, node, settings, 'ip');
  const tables: NodeTables = {
    node: 'n1',
    family: 'ip',
    rulesets,
    unread: [],
    addresses: [nodeAddress],
    context,
    route: (address) => (address === nodeAddress ? { to: 'local' } : route()),
    routesSure: true,
    entryOf: (source) => `node/n1/${source}`,
    ipvs: () => absent('node/n1/ipvs'),
    ipsets: () => absent('node/n1/ipset'),
    bound: [],
  };
  return [plan, tables];
}

function secondsOf(work: () => void): { clock: number; processor: number } {
  const [started, used] = [performance.now(), process.cpuUsage()];
  work();
  const { user, system } = process.cpuUsage(used);
  return { clock: (performance.now() - started) / 1000, processor: (user + system) / 1e6 };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

const at = process.argv.indexOf('--part');
if (at > 0) console.log(JSON.stringify(measure(process.argv[at + 1] as Form, Number(process.argv[at + 2]))));
else bench();
