import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Parsed } from '../../src/model/parsed.ts';
import { parseArp } from '../../src/parse/arp.ts';
import { parseBrctlShow, parseBrctlShowmacs } from '../../src/parse/brctl.ts';
import { parseBridgeFdb } from '../../src/parse/bridge-fdb.ts';
import { parseBridgeLink } from '../../src/parse/bridge-link.ts';
import { parseBridgeMdb } from '../../src/parse/bridge-mdb.ts';
import { parseBridgeVlan } from '../../src/parse/bridge-vlan.ts';
import { parseConntrack, parseConntrackCount, parseConntrackExpectations } from '../../src/parse/conntrack.ts';
import { parseConntrackStats, parseProcConntrackStats } from '../../src/parse/conntrack-stats.ts';
import { parseEthtool } from '../../src/parse/ethtool.ts';
import { parseIfconfig } from '../../src/parse/ifconfig.ts';
import { parseIpAddr } from '../../src/parse/ip-addr.ts';
import { parseIpLink } from '../../src/parse/ip-link.ts';
import { parseIpNeigh } from '../../src/parse/ip-neigh.ts';
import { parseIpNetns } from '../../src/parse/ip-netns.ts';
import { parseIpRoute } from '../../src/parse/ip-route.ts';
import { parseIpRouteGet } from '../../src/parse/ip-route-get.ts';
import { parseIpRule } from '../../src/parse/ip-rule.ts';
import { parseIpXfrm } from '../../src/parse/ip-xfrm.ts';
import { parseKernelLog } from '../../src/parse/kernel-log.ts';
import { parseNetstat, parseNetstatStatistics } from '../../src/parse/netstat.ts';
import { parseNstat } from '../../src/parse/nstat.ts';
import { parseProcNetDev, parseProcNetSnmp, parseProcNetSockets } from '../../src/parse/proc-net.ts';
import { parseRouteN } from '../../src/parse/route-n.ts';
import { parseSoftnet } from '../../src/parse/softnet.ts';
import { parseSs } from '../../src/parse/ss.ts';
import { parseSysctl } from '../../src/parse/sysctl.ts';
import { parseTcFilter, parseTcQdisc } from '../../src/parse/tc.ts';

export type Parser = (text: string) => Parsed<unknown>;

/** Every parser of what a node prints, by name. */
export const parsers = {
  parseArp,
  parseBrctlShow,
  parseBrctlShowmacs,
  parseBridgeFdb,
  parseBridgeLink,
  parseBridgeMdb,
  parseBridgeVlan,
  parseConntrack,
  parseConntrackCount,
  parseConntrackExpectations,
  parseConntrackStats,
  parseProcConntrackStats,
  parseEthtool,
  parseIfconfig,
  parseIpAddr,
  parseIpLink,
  parseIpNeigh,
  parseIpNetns,
  parseIpRoute,
  parseIpRouteGet,
  parseIpRule,
  parseIpXfrm,
  parseKernelLog,
  parseNetstat,
  parseNetstatStatistics,
  parseNstat,
  parseProcNetDev,
  parseProcNetSnmp,
  parseProcNetSockets,
  parseRouteN,
  parseSoftnet,
  parseSs,
  parseSysctl,
  parseTcFilter,
  parseTcQdisc,
} satisfies Record<string, Parser>;

const description = z.looseObject({
  tool: z.string(),
  command: z.string(),
  damaged: z.string().nullish(),
  truth: z.unknown(),
  look_for: z.array(z.string()).default([]),
});

export interface NodeOutput {
  name: string;
  text: string;
  tool: string;
  command: string;
  damaged: boolean;
  truth: Record<string, unknown>;
  lookFor: string[];
  /** The parsers of the commands that it holds, in order. */
  parsers: Parser[];
}

/** Directories with outputs in known states: the copies in this repository, and the collection they were taken from where it is at hand. */
const directories = ['fixtures/parse/ip', '../shared/outputs/ip', '../shared/outputs/nf'];

/** All outputs of the tools that these parsers are for. */
export const nodeOutputs = (): NodeOutput[] =>
  directories
    .filter((directory) => existsSync(directory))
    .flatMap((directory) =>
      readdirSync(directory)
        .filter((file) => file.endsWith('.json') && existsSync(join(directory, file.replace(/json$/, 'txt'))))
        .map((file) => readOutput(directory, file.replace(/\.json$/, ''))),
    )
    .filter((output) => output.parsers.length > 0);

export const nodeOutput = (name: string): NodeOutput => readOutput('fixtures/parse/ip', name);

const readOutput = (directory: string, name: string): NodeOutput => {
  const { tool, command, damaged, truth, look_for } = description.parse(JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')));
  return {
    name: join(directory, name),
    text: readFileSync(join(directory, `${name}.txt`), 'utf8'),
    tool,
    command,
    damaged: damaged !== undefined && damaged !== null,
    truth: typeof truth === 'object' && truth !== null ? (truth as Record<string, unknown>) : {},
    lookFor: look_for,
    parsers: parsersOf(command),
  };
};

/** Which parser reads the output of a command; a command that none is for gives none. */
const commands: readonly (readonly [RegExp, Parser])[] = [
  [/\bip\b.* r(oute)? get\b|ip route get/, parseIpRouteGet],
  [/\bip( -\S+)* (r|ro|route)\b/, parseIpRoute],
  [/\bip( -\S+)* (ru|rule)\b/, parseIpRule],
  [/\bip( -\S+)* (a|addr|address)\b/, parseIpAddr],
  [/\bip( -\S+)* (l|link)\b/, parseIpLink],
  [/\bip( -\S+)* (n|neigh|neighbour)\b/, parseIpNeigh],
  [/\bip( -\S+)* netns\b/, parseIpNetns],
  [/\bip( -\S+)* xfrm\b/, parseIpXfrm],
  [/\bbridge( -\S+)* fdb\b/, parseBridgeFdb],
  [/\bbridge( -\S+)* link\b/, parseBridgeLink],
  [/\bbridge( -\S+)* vlan\b/, parseBridgeVlan],
  [/\bbridge( -\S+)* mdb\b/, parseBridgeMdb],
  [/\bbrctl showmacs\b/, parseBrctlShowmacs],
  [/\bbrctl show( |$)/, parseBrctlShow],
  [/\bconntrack( -\S+)* -L expect\b|conntrack -E expect/, parseConntrackExpectations],
  [/\bconntrack\b.* -(L|E)\b|^cat \/proc\/net\/nf_conntrack$/, parseConntrack],
  [/\bconntrack -S\b/, parseConntrackStats],
  [/\bconntrack -C\b|nf_conntrack_count$/, parseConntrackCount],
  [/\/proc\/net\/stat\/nf_conntrack\b/, parseProcConntrackStats],
  [/\bethtool\b( -[kSi])?( \S+)?$/, parseEthtool],
  [/\bifconfig\b/, parseIfconfig],
  [/\bnetstat -\S*r\S*|\broute -n|\/proc\/net\/route$/, parseRouteN],
  [/\bnetstat -s/, parseNetstatStatistics],
  [/\bnetstat -[a-z]*[tula][a-z]*/, parseNetstat],
  [/\barp -\S*n|\/proc\/net\/arp$/, parseArp],
  [/\bnstat\b/, parseNstat],
  [/\/proc\/net\/(snmp6?|netstat)\b/, parseProcNetSnmp],
  [/\/proc\/net\/dev\b/, parseProcNetDev],
  [/\/proc\/net\/(tcp|udp)6?\b/, parseProcNetSockets],
  [/\/proc\/net\/softnet_stat\b/, parseSoftnet],
  [/\bsysctl\b/, parseSysctl],
  [/\bss -[a-zA-Z]*[tunlaxwp]|\bss -H/, (text) => parseSs(text)],
  [/\bdmesg\b|\bjournalctl -k/, parseKernelLog],
  [/\btc( -\S+)* qdisc\b/, parseTcQdisc],
  [/\btc( -\S+)* filter\b/, parseTcFilter],
];

/** Each part of the command line has a parser, or the output is none of ours (`ss -s` within a series is known and left to its own reader). */
const parsersOf = (command: string): Parser[] => {
  const parts = command
    .replace(/^for .*?; do (.*); done$/, '$1')
    .replace(/kubectl exec .* -- /, '')
    .split(/;|&&/)
    .map((part) => part.replace(/\|.*$|2>&1|2>\/dev\/null/g, '').trim())
    .filter((part) => part !== '');
  const found = parts.map((part) => commands.find(([pattern]) => pattern.test(part))?.[1]);
  const known = found.filter((parser) => parser !== undefined);
  return known.length === found.length ? [...new Set(known)] : [];
};
