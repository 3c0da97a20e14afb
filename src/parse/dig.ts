import { isIP } from 'node:net';
import type { DigOutput, DigRun, DnsRecord } from '../model/dns.ts';
import type { Parsed } from '../model/parsed.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads the output of one or several runs of dig 9.11 to 9.20 (bind9 bin/dig/dig.c, dighost.c; with +short, +noall +answer, +yaml, +qr, +trace), mdig and
 * delv of the same, `host -v` and `-a` (host.c), drill 1.8 (ldns) and kdig 3.x. Times are ms. An error line before a heading belongs to that heading's query. The value is complete when every run is: it has its closing lines
 * and no line was left; `+short` never is, because it prints nothing for NXDOMAIN.
 */
export function parseDig(text: string): Parsed<DigOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined, section: 'unknown' };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of dig');
  const { runs, marks, otherLines } = state;
  const complete =
    endsInLine(text) &&
    unparsed.length === 0 &&
    runs.length > 0 &&
    runs.every((run) => run.outcome === 'answered' || run.outcome === 'failed');
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends DigOutput {
  /** The run that following lines belong to; undefined after its closing line. */
  current: DigRun | undefined;
  section: DnsRecord['section'];
}

const number = Number;

const rules: readonly LineRule<State>[] = [
  [
    /^; <<>> DiG (\S+) <<>> ?(.*)$/,
    (state, [, version = '', command = ''], at) => {
      const run = state.current?.command === undefined && !state.current?.header ? runOf(state, at) : newRun(state, at);
      run.version = version;
      run.command = command;
    },
  ],
  [
    /^; \(\d+ servers? found\)$|^;; global options:|^;; Got answer:|^; \(continued\)/,
    (state, [text = ''], at) => startOrKeep(state, text, at),
  ],
  [
    /^;; ->>HEADER<<- opcode: (\S+?)[,;] (?:status|rcode): (\S+?)[,;] id: (\d+)$/,
    (state, [, opcode = '', status = '', id = ''], at) => {
      const run = state.current?.header ? newRun(state, at) : runOf(state, at);
      run.header = { line: at.line, opcode, status, id: number(id) };
      state.section = 'unknown';
    },
  ],
  [
    /^;; [Ff]lags:((?: [a-z]+)*) ?; QUERY: (\d+)[,;] ANSWER: (\d+)[,;] AUTHORITY: (\d+)[,;] ADDITIONAL: (\d+) ?$/,
    (state, [, flags = '', query, answer, authority, additional], at) => {
      runOf(state, at).flags = {
        line: at.line,
        flags: flags.split(' ').filter(Boolean),
        query: number(query),
        answer: number(answer),
        authority: number(authority),
        additional: number(additional),
      };
    },
  ],
  [
    /^; EDE: (\d+)(.*)$/,
    (state, [, code, text = ''], at) => void runOf(state, at).extendedErrors.push({ line: at.line, code: number(code), text: text.trim() }),
  ],
  [
    /^;; (?:OPT|EDNS) PSEUDOSECTION:$|^;; EDNS PSEUDOSECTION:|^;? ?;? ?(?:EDNS|Version|COOKIE|NSID|CLIENT-SUBNET|PAD(?:DING)?|LLQ|UPDATE-LEASE|EXPIRE|TCP[- ]KEEPALIVE|OPT=\d+): /i,
    (state, _groups, at) => void runOf(state, at),
  ],
  [/^;; (QUESTION|ANSWER|AUTHORITY|ADDITIONAL)(?: RECORDS| SECTION)?:$/, (state, [, name = ''], at) => enterSection(state, name, at)],
  [
    /^;{1,2} ?([^\s;]+)\s+(IN|CH|HS|ANY|NONE|CLASS\d+)\s+([A-Z][A-Z0-9-]*)$/,
    (state, [, name = '', klass = '', type = ''], at) => {
      runOf(state, at).question = { line: at.line, name, class: klass, type };
    },
  ],
  [
    /^([^\s;]+)\s+((?:\d+[wdhms]?)+)\s+(IN|CH|HS|ANY|NONE|CLASS\d+)\s+([A-Z][A-Z0-9-]*)(?:\s+(.*))?$/,
    (state, [, name = '', ttl, klass = '', type = '', data = ''], at) => {
      runOf(state, at).records.push({ line: at.line, section: state.section, name, ttl: secondsOf(ttl), class: klass, type, data });
    },
  ],
  [/^\t+ *(?:\d+\s*;.*|\).*|\S.*)$/, (state, [text = ''], at) => continueRecord(state, text, at)],
  [
    /^;; Query time: (\d+) (msec|usec)$/,
    (state, [, time, unit], at) => Object.assign(runOf(state, at), { queryTimeMs: unit === 'usec' ? number(time) / 1000 : number(time) }),
  ],
  [
    /^;; SERVER: (\S+)#(\d+)\(\S+\)(?: \((\S+)\))?$/,
    (state, [, address = '', port, transport = ''], at) => {
      runOf(state, at).server = { line: at.line, address, port: number(port), transport: transport || undefined };
    },
  ],
  [
    /^;; SERVER: (\S+)$/,
    (state, [, address = ''], at) => {
      runOf(state, at).server = { line: at.line, address, port: 53, transport: undefined };
    },
  ],
  [/^;; (?:WHEN: \S|Time \d)/, (state, _groups, at) => void runOf(state, at)],
  [/^;; (?:MSG SIZE {2}rcvd: (\d+)|XFR size: .*)$/, (state, [, bytes = ''], at) => answered(state, bytes, at)],
  [
    /^(?:;; )?Received (\d+) bytes from (\S+)#(\d+)(?:\(\S+\))? in (\d+) ms$/,
    (state, [, bytes = '', address = '', port, ms], at) => received(state, { bytes, address, port: number(port), ms: number(ms) }, at),
  ],
  [/^;; Sending:$/, (state, _groups, at) => void (state.current?.header ? newRun(state, at) : runOf(state, at))],
  [/^;; QUERY SIZE: \d+$/, (state, _groups, at) => wasTheQuestion(state, at)],
  [/^Trying "[^"]*"$|^Using domain server:$|^Name: \S+$|^Aliases: *$/, (state, _groups, at) => void runOf(state, at)],
  [
    /^Address: (\S+)#(\d+)$/,
    (state, [, address = '', port], at) => {
      runOf(state, at).server = { line: at.line, address, port: number(port), transport: undefined };
    },
  ],
  [
    /^Host \S+ not found: \d+\((\S+)\)$/,
    (state, [, status = ''], at) => {
      runOf(state, at).header = { line: at.line, opcode: 'QUERY', status, id: 0 };
    },
  ],
  [/^;; resolution failed: (.+)$/, (state, [, words = ''], at) => failFinally(state, at, words, {})],
  [
    /^;; (?:broken trust chain|[A-Z]+ unexpected RCODE|no valid \w+|insecurity proof failed|got insecure response|timed out|connection refused) resolving '.*$/,
    (state, [text = ''], at) => warn(state, text, at),
  ],
  [
    /^; (?:(?:negative response, )?(?:fully validated|unsigned answer|answer not validated))$/,
    (state, _groups, at) => {
      runOf(state, at).outcome = 'answered';
    },
  ],
  [/^;; Received (\d+) B$/, (state, [, bytes = ''], at) => Object.assign(runOf(state, at), { messageBytes: number(bytes) })],
  [
    /^;; From (\S+)@(\d+)\((\w+)\) in ([\d.]+) ms$/,
    (state, [, address = '', port, transport = '', ms], at) => kdigAnswered(state, address, number(port), transport, number(ms), at),
  ],
  [
    /^;; communications error(?: to (\S+)#(\d+))?: (.+)$/,
    (state, [, address = '', port = '', words = ''], at) => fail(state, at, words, { address, port }),
  ],
  [
    /^;; (?:Connection to|UDP setup with|TCP setup with) (\S+?)#(\d+)\(\S+\) for (\S+) failed: (.+?)\.?$/,
    (state, [, address = '', port = '', name = '', words = ''], at) => fail(state, at, words, { address, port, name }),
  ],
  [/^;; (?:connection timed out; )?no servers could be reached$/, (state, [text = ''], at) => noServers(state, text, at)],
  [
    /^;; ERROR: failed to query server (\S+)@(\d+)\(\w+\)$/,
    (state, [text = '', address = '', port = ''], at) => failFinally(state, at, text, { address, port }),
  ],
  [
    /^;; WARNING: response timeout for (\S+)@(\d+)\(\w+\)$/,
    (state, [text = '', address = '', port = ''], at) => fail(state, at, text, { address, port }),
  ],
  [
    /^;; WARNING: can't connect to (\S+)@(\d+)\(\w+\)(.*)$/,
    (state, [text = '', address = '', port = ''], at) => fail(state, at, text, { address, port }),
  ],
  [
    /^(?:;; )?(?:Warning: )?(?:query )?ID mismatch: .*$/i,
    (state, [text = ''], at) => {
      runOf(state, at).idMismatch = true;
      return warn(state, text, at);
    },
  ],
  [/^;; (Truncated, retrying in TCP mode\.)$/, (state, [, text = ''], at) => retriedOverTcp(state, text, at)],
  [
    /^;; (?:WARNING|Warning|query again with TCP|Got bad packet|Question section mismatch|Got |BADCOOKIE|BADVERS|You are currently testing|Query |reply from unexpected source|extra bytes|There was a problem)\b.*$/,
    (state, [text = ''], at) => warn(state, text, at),
  ],
  [/^; (?:Transfer failed|Bad packet|WARNING).*$/, (state, [text = ''], at) => warn(state, text, at)],
  [/^\d+ bytes$|^[0-9a-f]{2}(?: [0-9a-f]{2}){3,}.*$/, (state, [text = ''], at) => state.current !== undefined && warn(state, text, at)],
  [
    /^dig: (.+)$|^(Invalid option: .+)$|^(?:;; )?(couldn't get address for .+)$/,
    (state, [text = '', ...words], at) => failFinally(state, at, words.find(Boolean) ?? text, {}),
  ],
  [
    /^Usage: {1,2}dig |^ +\{global-d-opt\} host |^ +\[ host \[@local-server\]|^Use "dig -h"/,
    (state, _groups, at) => void state.otherLines.push(at.line),
  ],
  [/^- type: MESSAGE$/, (state, _groups, at) => void newRun(state, at)],
  [/^ {2,}(?:- ')?[A-Za-z_]\S*(?: .*)?$/, (state, _groups, at) => yamlLine(state, at)],
  ...shellMarkRules,
  [/^(\S.*)$/, (state, [, text = ''], at) => shortLine(state, text, at)],
];

function newRun(state: State, { line }: Line): DigRun {
  const run: DigRun = {
    line,
    lines: [line],
    command: undefined,
    version: undefined,
    failures: [],
    header: undefined,
    flags: undefined,
    extendedErrors: [],
    question: undefined,
    records: [],
    queryTimeMs: undefined,
    server: undefined,
    messageBytes: undefined,
    warnings: [],
    retriedOverTcp: false,
    idMismatch: false,
    short: [],
    outcome: 'unfinished',
  };
  state.runs.push(run);
  state.current = run;
  state.section = 'unknown';
  return run;
}

function runOf(state: State, at: Line): DigRun {
  const run = state.current ?? newRun(state, at);
  if (run.lines.at(-1) !== at.line) run.lines.push(at.line);
  return run;
}

function startOrKeep(state: State, text: string, at: Line): undefined {
  const startsAnother = text.startsWith(';; Got answer') && state.current?.header !== undefined;
  if (startsAnother) newRun(state, at);
  else runOf(state, at);
  return undefined;
}

function finish(state: State, outcome: 'answered' | 'failed'): undefined {
  if (state.current) state.current.outcome = outcome;
  state.current = undefined;
  return undefined;
}

function answered(state: State, bytes: string, at: Line): undefined {
  const run = runOf(state, at);
  run.messageBytes = bytes ? Number(bytes) : undefined;
  return finish(state, 'answered');
}

/** `+trace` and host: the closing line of each query; host writes it once more for each search domain that it went through in vain. */
function received(
  state: State,
  { bytes, address, port, ms }: { bytes: string; address: string; port: number; ms: number },
  at: Line,
): undefined {
  const last = state.runs.at(-1);
  if (state.current === undefined && last?.outcome === 'answered') {
    last.lines.push(at.line);
    return undefined;
  }
  const run = runOf(state, at);
  run.server ??= { line: at.line, address, port, transport: undefined };
  run.queryTimeMs = ms;
  return answered(state, bytes, at);
}

/** `+qr` prints what is sent in the form of an answer: nothing of it is one. */
function wasTheQuestion(state: State, at: Line): undefined {
  const run = runOf(state, at);
  Object.assign(run, { header: undefined, flags: undefined, records: [], extendedErrors: [] });
  return undefined;
}

const unitSeconds: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** A TTL, which `+ttlunits` and mdig write as `1h30m`. */
function secondsOf(ttl = ''): number {
  const parts = ttl.match(/\d+[wdhms]?/g) ?? [];
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * (unitSeconds[part.slice(-1)] ?? 1), 0);
}

function kdigAnswered(state: State, address: string, port: number, transport: string, ms: number, at: Line): undefined {
  const run = runOf(state, at);
  run.server = { line: at.line, address, port, transport };
  run.queryTimeMs = ms;
  return finish(state, 'answered');
}

function fail(state: State, at: Line, words: string, where: { address?: string; port?: string; name?: string }): undefined {
  runOf(state, at).failures.push(failureOfWords(at.line, words, where));
  return undefined;
}

function failFinally(state: State, at: Line, words: string, where: { address?: string; port?: string }): undefined {
  fail(state, at, words, where);
  return finish(state, 'failed');
}

/** dig 9.16 says "connection timed out" for every cause; from 9.18 on the cause stands in the communications errors before. */
function noServers(state: State, text: string, at: Line): undefined {
  const run = runOf(state, at);
  const failure = failureOfWords(at.line, text.slice(3));
  const told = run.failures.at(-1);
  const merged = {
    ...failure,
    couldBe: [...new Set([...failure.couldBe, 'refused', 'host-unreachable', 'net-unreachable', 'admin-prohibited'] as const)],
  };
  run.failures.push(told ? { ...failure, cause: told.cause, couldBe: told.couldBe } : merged);
  return finish(state, 'failed');
}

function retriedOverTcp(state: State, text: string, at: Line): undefined {
  runOf(state, at).retriedOverTcp = true;
  return warn(state, text, at);
}

function warn(state: State, text: string, at: Line): undefined {
  runOf(state, at).warnings.push({ line: at.line, text });
  return undefined;
}

function enterSection(state: State, name: string, at: Line): undefined {
  runOf(state, at);
  const section = name.toLowerCase();
  state.section = section === 'answer' || section === 'authority' || section === 'additional' ? section : 'unknown';
  return undefined;
}

/** `+multiline` folds SOA and DNSKEY over lines that begin with tabs. */
function continueRecord(state: State, text: string, at: Line): undefined | false {
  const record = state.current?.records.at(-1);
  if (!record?.data.includes('(') || record.data.includes(')')) return false;
  record.data += ` ${text.trim()}`;
  runOf(state, at);
  return undefined;
}

/** `+yaml` (9.16 and later): only inside a message that `- type: MESSAGE` opened. */
function yamlLine(state: State, at: Line): undefined | false {
  const run = state.current;
  if (!run || run.command !== undefined || !state.runs.includes(run)) return false;
  runOf(state, at);
  const [, key = '', value = ''] = /^\s*([A-Za-z_]+): ?(.*)$/.exec(at.text) ?? [];
  const [, item] = /^\s*- '(.*)'$/.exec(at.text) ?? [];
  if (key === 'status') run.header = { line: at.line, opcode: 'QUERY', status: value, id: 0 };
  if (key === 'id' && run.header) run.header.id = Number(value);
  if (key === 'response_address') run.server = { line: at.line, address: value.replaceAll('"', ''), port: 53, transport: undefined };
  if (key === 'response_port' && run.server) run.server.port = Number(value);
  if (key.endsWith('_SECTION')) enterSection(state, key.replace('_SECTION', ''), at);
  if (key === 'status') run.outcome = 'answered';
  if (item !== undefined) yamlRecord(state, run, item, at);
  return undefined;
}

function yamlRecord(state: State, run: DigRun, item: string, { line }: Line): void {
  const [name = '', ...rest] = item.split(' ');
  if (/^\d+$/.test(rest[0] ?? '')) {
    const [ttl, klass = '', type = '', ...data] = rest;
    run.records.push({ line, section: state.section, name, ttl: Number(ttl), class: klass, type, data: data.join(' ') });
  } else run.question = { line, name, class: rest[0] ?? '', type: rest[1] ?? '' };
}

/** `+short`: an address, a name with its final dot, numbers and a name (MX, SRV), or quoted text. Anything else is no line of dig. */
function shortLine(state: State, text: string, at: Line): undefined | false {
  const isData =
    isIP(text) !== 0 || /^(?:\d+ ){0,3}(?:[\w*-]+\.)+$/.test(text) || /^(?:\d+ ){0,3}\.$/.test(text) || /^"[^"]*"(?: "[^"]*")*$/.test(text);
  if (!isData || state.current?.header) return false;
  const run = runOf(state, at);
  run.short.push({ line: at.line, data: text });
  run.outcome = 'short';
  return undefined;
}
