import type { CorednsLogEntry } from '../model/dns.ts';
import type { Parsed } from '../model/parsed.ts';
import { causeOfWords, failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads CoreDNS' log, 1.2 to 1.13 (plugin/pkg/log, plugin/errors, plugin/log, plugin/loop, plugin/ready), as `kubectl logs` gives it: with or without
 * `--prefix` and time stamps of `--timestamps`, the container runtime's own (`2026-… stderr F`), or klog lines of the kubernetes plugin's client. A log has no
 * end, so silence proves nothing: never complete when empty.
 */
export function parseCorednsLog(text: string): Parsed<{ entries: CorednsLogEntry[]; otherLines: number[] }> {
  const state: State = { entries: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), state, rules, "no line of CoreDNS' log");
  return { value: state, unparsed, complete: endsInLine(text) && unparsed.length === 0 && state.entries.length > 0 };
}

interface State {
  entries: CorednsLogEntry[];
  otherLines: number[];
}

const prefix = String.raw`^(?:\[pod\/[^\]]+\] )?(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?)?`;
const line = (rest: string): RegExp => new RegExp(prefix + rest);

const rules: readonly LineRule<State>[] = [
  [
    line(String.raw`(?:\d{4}[/-]\d\d[/-]\d\d[T ][\d:.]+Z? )?\[(INFO|WARNING|ERROR|FATAL|DEBUG|PANIC)\] (.*)$`),
    (state, [, level = '', message = ''], at) => entry(state, level, message, at),
  ],
  [
    line(String.raw`([IWEF])\d{4} [\d:.]+\s+\d+ \S+\] (.*)$`),
    (state, [, level = '', message = ''], at) => entry(state, klogLevels.get(level) ?? 'ERROR', message, at),
  ],
  [line(String.raw`(?:panic: |plugin/\S+: |Listen: |listen )(.*)$`), (state, _groups, at) => entry(state, 'FATAL', bare(at.text), at)],
  [
    line(
      String.raw`(?:[\w*./-]*:\d+(?: on \S+)?|CoreDNS-\S+|\w+/\w+, go\S+, ?\S*|maxprocs: .*|\.:\d+|dns://.*|tls://.*|https://.*|grpc://.*)\s*$`,
    ),
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [
    line(String.raw`(?:error: timed out waiting for the condition|W\d{4} .*|Flag .* deprecated.*)$`),
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  // The banner: drawn letters, of which each line has an underscore.
  [/^[~|/\\_. ()`'"\t-]+$/, (state, _groups, { line, text }) => text.includes('_') && state.otherLines.push(line)],
];

const klogLevels = new Map<string, string>(Object.entries({ I: 'INFO', W: 'WARNING', E: 'ERROR', F: 'FATAL' }));

const bare = (text: string): string => text.replace(new RegExp(prefix), '');

function entry(state: State, level: string, message: string, at: Line): undefined {
  const text = message.trimEnd();
  const [, plugin] = /^(plugin\/[\w.-]+)[: ]/.exec(text) ?? [];
  state.entries.push({
    line: at.line,
    level: level as CorednsLogEntry['level'],
    plugin,
    message: text,
    failed: failedOf(text, at),
    query: queryOf(text),
  });
  return undefined;
}

/** `plugin/errors: 2 name. TYPE: read udp 10.244.3.3:37277->192.168.1.1:53: i/o timeout`; the number is the rcode (2 = SERVFAIL). */
function failedOf(message: string, { line: number }: Line): CorednsLogEntry['failed'] {
  const [, rcode, name, type, words] = /^(?:plugin\/errors: )?(\d+) (\S+) ([A-Z0-9]+): (.+)$/.exec(message) ?? [];
  if (name === undefined || type === undefined || words === undefined) return undefined;
  const [, from, upstream] = /(?:read|write|dial) (?:udp|tcp)\d? (\S+?)->(\S+?): /.exec(words) ?? [];
  const [, dialed] = /dial (?:udp|tcp)\d? (\S+?): /.exec(words) ?? [];
  const failure = { ...failureOfWords(number, words), ...causeOfWords(words.slice(words.lastIndexOf(': ') + 1) || words) };
  return { rcode: Number(rcode), name, type, from, upstream: upstream ?? dialed, failure };
}

/** The log plugin's common format: `10.244.1.3:40500 - 32705 "A IN name. udp 54 false 512" NOERROR qr,aa,rd 106 0.000171s`. */
function queryOf(message: string): CorednsLogEntry['query'] {
  const match =
    /^(\S+) - (\d+) "(\S+) IN (\S+) (udp|tcp\S*|https|tls|grpc|quic) (\d+) (?:true|false) \d+" ?(\S+) (\S+) \d+(?: ([\d.]+)s)?$/.exec(
      message,
    );
  if (!match) return undefined;
  const [, client = '', id, type = '', name = '', protocol = '', size, rcode = '', flags = '', duration] = match;
  const colon = client.lastIndexOf(':');
  const port = /^\d+$/.test(client.slice(colon + 1)) ? Number(client.slice(colon + 1)) : undefined;
  const address = port === undefined ? client : client.slice(0, colon).replace(/^\[|\]$/g, '');
  return {
    client: address,
    port,
    id: Number(id),
    type,
    name,
    protocol,
    size: Number(size),
    rcode,
    flags,
    durationSeconds: duration === undefined ? undefined : Number(duration),
  };
}
