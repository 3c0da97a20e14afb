import type { KlogEntry, KubeProxyFinding, KubeProxyLog } from '../model/cluster-config.ts';
import type { Parsed } from '../model/parsed.ts';
import { readKlog } from './klog.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads kube-proxy's log, Kubernetes 1.12 to 1.36 (cmd/kube-proxy/app/server*.go, pkg/proxy/{iptables,ipvs,nftables}/proxier.go), as `kubectl logs` gives it. A log is
 * rotated and has no end: what it does not say proves nothing.
 */
export function parseKubeProxyLog(text: string): Parsed<KubeProxyLog> {
  const { entries, otherLines, unparsed } = readKlog(
    text,
    (line) => /^(?:error: |Flag |time="|goroutine |\d+ [\d/]+ |I\d{4} \d|W\d{4} \d|E\d{4} \d)/.test(line) && !/^[IWEF]\d{4} /.test(line),
  );
  const findings = entries.flatMap(findingsOf);
  return { value: { entries, findings, otherLines }, unparsed, complete: endsInLine(text) && unparsed.length === 0 && entries.length > 0 };
}

type Meaning = readonly [RegExp, KubeProxyFinding['kind']];

const meanings: readonly Meaning[] = [
  [/Using (?:iptables|ipvs|nftables|userspace) Proxier/, 'mode'],
  [/[Ff]alling back|Can't use the .* proxier|can't use .* proxier/, 'fell-back'],
  [
    /Failed to execute (?:ip6?tables-restore|nft)|ip6?tables-restore.* failed|[Ss]ync failed|Failed to ensure (?:that )?.*chain|nftables sync failed|Failed to execute iptables-save/,
    'sync-failed',
  ],
  [/[Ff]ailed to (?:watch|list)|dial tcp .*(?:refused|timeout|no route)|Unable to connect to the server/, 'api-unreachable'],
  [/conntrack.*(?:failed|error)|[Ff]ailed to (?:delete|clear|cleanup).*conntrack/, 'conntrack-cleanup-failed'],
  [/can't open (?:port|node ?port)|nodePort .*(?:in use|skipping)|Failed to bind (?:service )?address/, 'nodeport-bind-failed'],
  [/[Cc]aches are synced/, 'caches-synced'],
  [/configuration may be incomplete or incorrect/, 'config-incomplete'],
  [/^Version info$/, 'version'],
];

function findingsOf(entry: KlogEntry): KubeProxyFinding[] {
  const words = [entry.message, ...Object.values(entry.fields)].join(' ');
  const kind = meanings.find(([pattern]) => pattern.test(words))?.[1];
  if (kind === undefined || (kind === 'conntrack-cleanup-failed' && entry.level === 'info')) return [];
  const [, mode] = /Using (\w+) Proxier/.exec(words) ?? [];
  const detail = kind === 'mode' ? (mode ?? words) : kind === 'version' ? (entry.fields.version ?? words) : words;
  return [{ line: entry.line, kind, detail }];
}
