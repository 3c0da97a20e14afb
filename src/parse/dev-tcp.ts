import type { Parsed } from '../model/parsed.ts';
import type { ConnectAttempt, ConnectOutput } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads what bash 4 and 5 say when `exec 3<>/dev/tcp/HOST/PORT` fails (bash lib/sh/netopen.c, redir.c): two lines for each failure,
 * `connect: reason` and the path with the reason again; for a bad name the first names the reason and the second is misleading
 * ("Invalid argument"). Success prints nothing, so an empty text is not complete.
 */
export function parseDevTcp(text: string): Parsed<ConnectOutput> {
  const state: State = { attempts: [], marks: [], otherLines: [], first: undefined };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of bash about /dev/tcp');
  const { attempts, marks, otherLines } = state;
  return { value: { attempts, marks, otherLines }, unparsed, complete: endsInLine(text) && unparsed.length === 0 && attempts.length > 0 };
}

interface State extends ConnectOutput {
  /** The attempt that the first line of two opened. */
  first: ConnectAttempt | undefined;
}

const rules: readonly LineRule<State>[] = [
  [/^(?:-?bash|sh): (?:(?:line|Zeile) \d+: )?(?:connect|socket): (.+)$/, (state, [, words = ''], at) => openAttempt(state, words, {}, at)],
  [
    /^(?:-?bash|sh): (?:(?:line|Zeile) \d+: )?\/dev\/(?:tcp|udp)\/([^/]+)\/(\w+): (.+)$/,
    (state, [, host = '', port = '', words = ''], at) => closeAttempt(state, host, port, words, at),
  ],
  [
    /^(?:-?bash|sh): (?:(?:line|Zeile) \d+: )?([\w.-]+): (.+)$/,
    (state, [, name = '', words = ''], at) => openAttempt(state, words, { name }, at),
  ],
  [/^port (\d+) exit 124$/, (state, [, port = ''], { line, text }) => push(state, line, text, { port })],
  ...shellMarkRules,
];

function openAttempt(state: State, words: string, where: { name?: string }, { line }: Line): undefined | false {
  const failure = failureOfWords(line, words, where);
  if (where.name !== undefined && failure.cause !== 'name') return false;
  state.first = { line, address: undefined, port: undefined, name: failure.name, result: 'failed', failure };
  state.attempts.push(state.first);
  return undefined;
}

function closeAttempt(state: State, host: string, port: string, words: string, { line }: Line): undefined {
  const attempt = state.first;
  state.first = undefined;
  const isAddress = /^[\d.]+$|:/.test(host);
  if (!attempt?.failure) {
    push(state, line, words, isAddress ? { address: host, port } : { name: host, port });
    return undefined;
  }
  const place = {
    address: isAddress ? host : undefined,
    name: isAddress ? attempt.name : host,
    port: /^\d+$/.test(port) ? Number(port) : undefined,
  };
  Object.assign(attempt, place);
  Object.assign(attempt.failure, place);
  state.otherLines.push(line);
  return undefined;
}

/** `timeout 4 bash …` ends with 124 and no word. */
function push(state: State, line: number, words: string, where: { address?: string; name?: string; port?: string }): undefined {
  const failure = failureOfWords(line, words, where);
  if (words.endsWith('exit 124')) Object.assign(failure, { cause: 'timeout', couldBe: ['timeout'] });
  state.attempts.push({ line, address: failure.address, name: failure.name, port: failure.port, result: 'failed', failure });
  return undefined;
}
