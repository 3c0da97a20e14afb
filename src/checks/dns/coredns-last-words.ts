import type { Facts } from '../../facts/facts.ts';
import { parseCorednsLog } from '../../parse/coredns-log.ts';
import type { Pod } from '../../schema/kubernetes.ts';

/** The line of CoreDNS' log that says why it ended. */
export interface LastWords {
  kind: 'loop' | 'corefile' | 'port' | 'other';
  /** The line in a sentence's form. */
  reason: string;
  pod: string;
  entry: string;
  line: number;
  /** Line of the Corefile that the log names. */
  corefileLine: number | null;
}

/** Looks through the logs of these pods, the last life's first, for what ended CoreDNS. Null when no log was read or none says it. */
export function lastWords(facts: Facts, pods: readonly Pod[]): LastWords | null {
  for (const pod of pods) {
    for (const name of ['log-previous', 'log']) {
      const key = `pod/${pod.metadata.namespace}/${pod.metadata.name}/${name}`;
      const entry = facts.snapshot.entries.get(key);
      if (!entry || entry.failure) continue;
      const found = readLog(entry.stdout);
      if (found) return { ...found, pod: pod.metadata.name, entry: key };
    }
  }
  return null;
}

type Found = Omit<LastWords, 'pod' | 'entry'>;

function readLog(text: string): Found | null {
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line.replace(/^\[pod\/[^\]]+\] /, '').trim() }));
  return findLoop(lines) ?? findCorefile(lines) ?? findPort(lines) ?? findFatal(text);
}

type LogLine = { number: number; text: string };

/** coredns/plugin/loop: `[FATAL] plugin/loop: Loop (127.0.0.1:34614 -> :53) detected for zone "."`; before 1.4 `Seen "HINFO IN …" more than twice`. */
function findLoop(lines: readonly LogLine[]): Found | null {
  const line = lines.find(({ text }) => /plugin\/loop: (?:Loop|Seen|Forwarding loop)\b/.test(text) && /FATAL|loop detected/.test(text));
  if (!line) return null;
  const from = /Loop \(([^)]+)\)/.exec(line.text)?.[1];
  return {
    kind: 'loop',
    reason: `its own queries come back to it${from ? ` (${from})` : ''}, so the resolver that it forwards to is itself`,
    line: line.number,
    corefileLine: null,
  };
}

/** coredns/caddy's caddyfile dispenser and the plugins' setup: `/etc/coredns/Corefile:4 - Error during parsing: Unknown directive 'raedy'`. */
function findCorefile(lines: readonly LogLine[]): Found | null {
  const line = lines.find(({ text }) =>
    /Corefile(?::\d+)? - (?:Error during parsing|Syntax error)|^(?:\[FATAL\] )?plugin\/[\w-]+: .*(?:Corefile|unknown property|not an IP address or file)|Error during parsing:/.test(
      text,
    ),
  );
  if (!line) return null;
  const number = /Corefile:(\d+)/.exec(line.text)?.[1];
  return {
    kind: 'corefile',
    reason: `the Corefile is wrong: ${line.text.slice(0, 200)}`,
    line: line.number,
    corefileLine: number === undefined ? null : Number(number),
  };
}

function findPort(lines: readonly LogLine[]): Found | null {
  const line = lines.find(({ text }) => /listen (?:tcp|udp)\S* \S+: bind: (?:address already in use|permission denied)/.test(text));
  return line ? { kind: 'port', reason: `it can't listen: ${line.text.slice(0, 200)}`, line: line.number, corefileLine: null } : null;
}

function findFatal(text: string): Found | null {
  const last = parseCorednsLog(text).value.entries.findLast((entry) => entry.level === 'FATAL' || entry.level === 'PANIC');
  return last ? { kind: 'other', reason: last.message.slice(0, 200), line: last.line, corefileLine: null } : null;
}
