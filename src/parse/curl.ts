import type { Parsed } from '../model/parsed.ts';
import type { CurlAttempt, CurlOutput, FailureCause, ProbeFailure } from '../model/probe.ts';
import { causeOfWords, failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { emptyRecord, endsInLine } from './text-lines.ts';

/**
 * Reads what curl 7.29 to 8.14 says (lib/connect.c, lib/strerror.c, src/tool_cb_dbg.c): standard error with or without -v, the lines of `-w`
 * (`STATUS key=value …`), -i headers, or both streams merged. Times are ms where named so. `Couldn't connect to server` (7.8x and later) stands for any
 * cause; where a `-v` line before it tells the cause, the error takes that one over. Lines that are not curl's count as body only when
 * curl itself said something.
 */
export function parseCurl(text: string): Parsed<CurlOutput> {
  const value: CurlOutput = {
    attempts: [],
    errors: [],
    responses: [],
    headers: [],
    writeOuts: [],
    info: [],
    body: [],
    marks: [],
    otherLines: [],
  };
  const left = applyRules(linesOf(text), value, rules, 'no line of curl');
  const isCurl =
    meterHead.test(text) ||
    value.attempts.length + value.errors.length + value.responses.length + value.writeOuts.length + value.info.length > 0;
  if (isCurl) value.body = left.map(({ line, text: body }) => ({ line, text: body }));
  const unparsed = isCurl ? [] : left;
  const ended =
    value.errors.length +
      value.writeOuts.length +
      value.responses.length +
      value.info.filter(({ text: info }) => info.startsWith('Closing connection')).length >
    0;
  const isDone = ended || (meterHead.test(text) && allReceived.test(text));
  return { value, unparsed, complete: endsInLine(text) && unparsed.length === 0 && isDone };
}

const meterHead = /^ {2}% Total {4}% Received/m;
/** A line of the meter at its end: all of what there is was received. */
const allReceived = /(?:^|\r)100 +\S+ +100 /m;

/** One line of curl's progress meter (12 columns), which `-v` and error lines are glued to. */
const meter = /^\s*\d+ +\S+ +\d+ +\S+ +\d+ +\S+ +\S+ +\S+ +[\d:dh-]+ +[\d:dh-]+ +[\d:dh-]+ +[\d.]+[kMGTP]?/;

const rules: readonly LineRule<CurlOutput>[] = [
  [/\r|^\s*\d+ +\S+ +\d+ +\S+ +\d+ +\S+ +\S+ +\S+ +[\d:dh-]+ +[\d:dh-]+ /, takeMeter],
  [
    /^ {2}% Total {4}% Received|^ {33}(?:Dload| Dload) {2}Upload|^[{}] \[\d+ bytes data\]|^[{}] \[data not shown\]|^[<>] *$/,
    ({ otherLines }, _groups, at) => otherLines.push(at.line),
  ],
  [
    /^(?:\*|== Info:) {3}Trying (\S+?)(?::(\d+))?\.\.\.\s*$/,
    ({ attempts }, [, address = '', port = ''], { line }) =>
      attempts.push({
        line,
        address: address.replace(/^\[|\]$/g, ''),
        port: port ? Number(port) : undefined,
        result: 'unknown',
        failure: undefined,
      }),
  ],
  [
    /^(?:\*|== Info:) (?:Established connection|Connected) to \S+ \((\S+?)(?: port (\d+))?\)(?: port (\d+))?(?: .*)?$/,
    (value, [, address = '', port = '', portBehind = ''], { line }) => connected(value, address, Number(port || portBehind), line),
  ],
  [
    /^(?:\*|== Info:) connect to (\S+) port (\d+)(?: from \S+ port \d+)? failed: (.+)$/,
    (value, [, address = '', port = '', words = ''], { line }) => attemptFailed(value, failureOfWords(line, words, { address, port })),
  ],
  [
    /^(?:\*|== Info:) (?:Immediate connect fail for (\S+?)): (.+)$/,
    (value, [, address = '', words = ''], { line }) => attemptFailed(value, failureOfWords(line, words, { address })),
  ],
  [/^(?:\*|== Info:) ?(.*)$/, ({ info }, [, text = ''], { line }) => info.push({ line, text })],
  [
    /^(?:< )?HTTP\/(\d(?:\.\d)?) (\d{3})(?: (.*?))?\s*$/,
    ({ responses }, [, version = '', status, reason = ''], { line }) => responses.push({ line, version, status: Number(status), reason }),
  ],
  [
    /^([<>]) (.+?)\s*$/,
    ({ headers }, [, arrow, text = ''], { line }) => headers.push({ line, direction: arrow === '<' ? 'response' : 'request', text }),
  ],
  [/^curl: \((\d+)\) ?(.*)$/, (value, [, code, words = ''], { line }) => curlError(value, Number(code), words, line)],
  [/^curl: (?:try 'curl --help'|option |no URL).*$/, (value, [text = ''], { line }) => curlError(value, 2, text, line)],
  [/^(\d{3})((?: +[A-Za-z_]\w*=.*)?) *$/, (value, [, status, rest = ''], { line }) => writeOut(value, Number(status), rest, line)],
  [
    /^(?:http_)?code=(\d{3})((?: [A-Za-z_]\w*=.*)?) *$/,
    (value, [, status, rest = ''], { line }) => writeOut(value, Number(status), rest, line),
  ],
  ...shellMarkRules,
];

/** Carriage returns rewrite the meter in place; what stands behind its last column is another line that was glued on. */
function takeMeter(value: CurlOutput, _groups: readonly string[], { line, text }: Line): undefined | false {
  const parts = text
    .split('\r')
    .map((part) => part.replace(meter, ''))
    .filter((part) => part.trim() !== '');
  if (parts.some((part) => part.length === text.length)) return false;
  if (parts.length === 0) value.otherLines.push(line);
  const left = parts.flatMap((part) => applyRules([{ line, text: part }], value, rules.slice(1), ''));
  return left.length > 0 ? false : undefined;
}

function connected({ attempts, info }: CurlOutput, address: string, port: number, line: number): undefined {
  const bare = address.replace(/^\[|\]$/g, '');
  const attempt = attempts.findLast((candidate) => candidate.address === bare && candidate.result === 'unknown');
  if (attempt) Object.assign(attempt, { result: 'connected', port: attempt.port ?? port } satisfies Partial<CurlAttempt>);
  else attempts.push({ line, address: bare, port, result: 'connected', failure: undefined });
  if (attempt) info.push({ line, text: `Connected to ${address} port ${port}` });
  return undefined;
}

function attemptFailed({ attempts }: CurlOutput, failure: ProbeFailure): undefined {
  const attempt = attempts.findLast((candidate) => candidate.address === failure.address && candidate.result === 'unknown');
  if (attempt) Object.assign(attempt, { result: 'failed', failure } satisfies Partial<CurlAttempt>);
  else attempts.push({ line: failure.line, address: failure.address ?? '', port: failure.port, result: 'failed', failure });
  return undefined;
}

/** Exit codes whose cause the code alone tells: curl.se/libcurl/c/libcurl-errors.html. */
const causeOfCode: Readonly<Record<number, FailureCause>> = {
  5: 'name',
  6: 'name',
  28: 'timeout',
  35: 'tls',
  51: 'tls',
  52: 'empty-reply',
  53: 'tls',
  54: 'tls',
  58: 'tls',
  59: 'tls',
  60: 'tls',
  64: 'tls',
  66: 'tls',
  77: 'tls',
  80: 'tls',
  82: 'tls',
  83: 'tls',
  90: 'tls',
  91: 'tls',
  98: 'tls',
};

function curlError(value: CurlOutput, code: number, words: string, line: number): undefined {
  const [, name = '', port = ''] = /^Failed (?:to connect|connect) to (\S+?)(?: port |:)(\d+)/.exec(words) ?? [];
  const [, unresolved = ''] = /^Could(?:n't| not) resolve (?:host|proxy):? '?([^\s']+)/.exec(words) ?? [];
  const isAddress = /^[\d.]+$|:/.test(name);
  const failure = failureOfWords(line, words, { port, ...(isAddress ? { address: name } : { name: name || unresolved }) });
  const byCode = causeOfCode[code];
  if (byCode && failure.cause === 'other') Object.assign(failure, { cause: byCode, couldBe: [byCode] });
  if (/^Couldn?'?t? ?(?:not )?connect to server|Could(?:n't| not) connect to server$/.test(words))
    Object.assign(failure, causeBefore(value, failure));
  const [, after] = / after (\d+) (?:ms|milliseconds)/.exec(words) ?? [];
  value.errors.push({ ...failure, code, afterMs: after === undefined ? undefined : Number(after) });
  return undefined;
}

/** With -v the line `* connect to … failed: reason` before the error tells the cause that the error itself hides. */
function causeBefore({ attempts, errors }: CurlOutput, failure: ProbeFailure): { cause: FailureCause; couldBe: FailureCause[] } {
  const since = errors.at(-1)?.line ?? 0;
  const told = attempts.findLast(
    (attempt) => attempt.line > since && attempt.failure && (failure.address === undefined || attempt.address === failure.address),
  );
  return told?.failure ? { cause: told.failure.cause, couldBe: told.failure.couldBe } : causeOfWords(failure.text);
}

/** `err=` (errormsg) runs to the end of the line, also without its key where the status is 000; other values hold no blank. */
function writeOut(value: CurlOutput, status: number, rest: string, line: number): undefined | false {
  const values = emptyRecord<string>();
  let left = rest.trim();
  for (let pair = nextPair(left); pair; pair = nextPair(left)) {
    values[pair.key] = pair.isLast ? left.slice(pair.key.length + 1) : pair.value;
    left = pair.isLast ? '' : left.slice(pair.key.length + 1 + pair.value.length).trimStart();
  }
  if (left !== '' && status !== 0) return false;
  const words = values.err ?? values.error ?? values.errormsg ?? left;
  const code = Number(values.exit ?? values.exitcode ?? (words === '' ? 0 : -1));
  const failure = code === 0 ? undefined : failureOfWords(line, words);
  const byCode = causeOfCode[code];
  if (failure && byCode && failure.cause === 'other') Object.assign(failure, { cause: byCode, couldBe: [byCode] });
  value.writeOuts.push({ line, status, values, failure });
  return undefined;
}

function nextPair(text: string): { key: string; value: string; isLast: boolean } | undefined {
  const [, key, value = ''] = /^([A-Za-z_]\w*)=(\S*)/.exec(text) ?? [];
  return key === undefined ? undefined : { key, value, isLast: /^err(?:or|ormsg)?$/.test(key) };
}
