import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetfilterRuleset } from '../../src/model/netfilter.ts';
import type { Parsed } from '../../src/model/parsed.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { parseNftCommands } from '../../src/parse/nft-commands.ts';
import { parseNftJson } from '../../src/parse/nft-json.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';

export type Task = 'iptables' | 'nftables';

export interface CorpusFlow {
  name: string;
  sourceIP: string;
  protocol: string;
  destIP: string;
  destPort: number;
  kernel: {
    kind: 'dnat' | 'nothing' | 'icmp-unreachable' | 'forward-unmodified' | 'local-closed-port';
    endpoints?: Record<string, { masquerade: boolean; snatTo?: string }>;
  };
  kernelTrace?: { result: string; detail: Record<string, string | number>; steps: TraceStep[] };
}

export interface TraceStep {
  table?: string;
  chain?: string;
  rule?: string;
  policy?: string;
  verdict?: string;
  packet?: Record<string, string>;
}

export interface CorpusCase {
  task: Task;
  id: string;
  ipFamily: string;
  nodeIPs: string[];
  flows: CorpusFlow[];
  forms: { name: string; read: () => Parsed<NetfilterRuleset> }[];
}

interface CaseFile {
  id: string;
  ipFamily: string;
  nodeIPs: string[];
  flows: CorpusFlow[];
  rules: string;
  saved?: Record<string, string>;
  savedJsonFiles?: Record<string, string>;
}

/** Reads the cases of one task; side files with raw JSON belong to their case. */
export function readCases(directory: string, task: Task): CorpusCase[] {
  const folder = join(directory, task);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !/\.nft-[\d.]+\.json$/.test(name))
    .sort()
    .map((name) => {
      const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CaseFile;
      return {
        task,
        id: file.id ?? name,
        ipFamily: file.ipFamily,
        nodeIPs: file.nodeIPs,
        flows: file.flows,
        forms: formsOf(file, folder, task),
      };
    });
}

function formsOf(file: CaseFile, folder: string, task: Task): CorpusCase['forms'] {
  const family = file.ipFamily === 'IPv6' ? 'ip6' : 'ip';
  const rules =
    task === 'iptables' ? () => withDefaultPolicies(parseIptablesSave(file.rules, { family })) : () => parseNftCommands(file.rules);
  return [
    { name: 'rules', read: rules },
    ...Object.entries(file.saved ?? {}).map(([name, text]) => ({
      name,
      read: () => (name.startsWith('nft') ? parseNftText(text) : parseIptablesSave(text, { family })),
    })),
    ...Object.entries(file.savedJsonFiles ?? {}).map(([name, side]) => ({
      name,
      read: () => parseNftJson(readFileSync(join(folder, side), 'utf8')),
    })),
  ];
}

/** Input of iptables-restore leaves policies as they are (`:INPUT - [0:0]`): in the lab's new namespaces that is ACCEPT. */
function withDefaultPolicies(parsed: Parsed<NetfilterRuleset>): Parsed<NetfilterRuleset> {
  for (const { base } of parsed.value.tables.flatMap((table) => table.chains)) {
    if (base?.policy === 'unknown') base.policy = 'accept';
  }
  return parsed;
}
