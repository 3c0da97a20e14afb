import { parseCurl } from '../../parse/curl.ts';
import { parseDevTcp } from '../../parse/dev-tcp.ts';
import { parseNc } from '../../parse/nc.ts';
import type { Try } from './probe.ts';
import { type Block, bad, good, lineOf } from './tries.ts';

export function readConnectTry(block: Block): Try | null {
  // The tool was never started in the namespace: that says nothing about the network.
  if (block.rc === 125 || /^(nsenter|k8snet): /m.test(block.text)) return null;
  switch (block.tool) {
    case 'nchttp':
      return readAnswerTry(block);
    case 'curl':
      return readCurlTry(block);
    case 'nc':
    case 'bash': {
      const attempt = (block.tool === 'nc' ? parseNc(block.text) : parseDevTcp(block.text)).value.attempts.at(-1);
      if (block.rc === 0) return good(block, [attempt?.line ?? 1]);
      // `timeout` ended it before the kernel gave up.
      if (block.rc === 124 || (!attempt?.failure && block.milliseconds > 2500))
        return bad(block, 'timeout', [attempt?.line ?? 1], attempt?.failure?.text ?? 'no answer in time');
      return attempt?.failure ? bad(block, attempt.failure.cause, [attempt.failure.line], attempt.failure.text) : null;
    }
    case 'wget':
      return block.rc === 0
        ? good(block, [1])
        : bad(
            block,
            /refused/.test(block.text)
              ? 'refused'
              : /timed out/.test(block.text)
                ? 'timeout'
                : /No route/.test(block.text)
                  ? 'host-unreachable'
                  : 'other',
            [1],
            block.text.split('\n')[0] ?? '',
          );
    default:
      return null;
  }
}

/** nc with a request on its standard input: what it says of the connection, then the first bytes that came back. */
function readAnswerTry(block: Block): Try | null {
  const attempt = parseNc(block.text).value.attempts.at(-1);
  if (attempt?.failure && attempt.result === 'failed')
    return bad(block, attempt.failure.cause, [attempt.failure.line], attempt.failure.text);
  const lines = block.text.split('\n');
  const answer = lines.findIndex((line) => line.trim() !== '' && !/succeeded!|^nc: /.test(line));
  if (answer >= 0) return good(block, [answer + 1]);
  if (attempt?.result !== 'open') return block.milliseconds > 2500 ? bad(block, 'timeout', [1], 'no answer in time') : null;
  if (/reset by peer/i.test(block.text)) return bad(block, 'reset', lineOf(block, /reset by peer/i), 'reset after connecting');
  // nc ends by its own idle limit where nothing came; a peer that closes at once did answer, in its way.
  return block.milliseconds >= answerLimit - 500
    ? bad(block, 'no-answer', [attempt.line], 'connected, and no byte came back in time')
    : good(block, [attempt.line]);
}

/** `nc -w`, in src/collect/probe-sections.ts. */
const answerLimit = 4000;

/** curl: a response, or an answer that is no HTTP, means that the application answers; a connection without a byte is `no-answer`. */
function readCurlTry(block: Block): Try | null {
  const { value } = parseCurl(block.text);
  const attempt = value.attempts.at(-1);
  const connected = value.attempts.find((item) => item.result === 'connected');
  const first = value.responses[0];
  if (first) return good(block, [first.line], connectTime(block.text));
  const error = value.errors.at(-1);
  if (connected) {
    const silent = /timed out|timeout/i.test(block.text) && block.rc === 28;
    if (silent)
      return bad(block, 'no-answer', lineOf(block, /timed out/i, error?.line), error?.text ?? 'connected, and no byte came back in time');
    if (block.rc === 56 || /reset by peer/.test(block.text))
      return bad(block, 'reset', lineOf(block, /reset/i, error?.line), error?.text ?? 'reset after connecting');
    // 52, 1, 8, 35, 60, 92…: something did answer, or closed the connection in order: not a matter of the network.
    return good(block, [connected.line], connectTime(block.text));
  }
  if (attempt?.failure || error) {
    const failure = attempt?.failure ?? error;
    return bad(block, failure?.cause ?? 'other', [failure?.line ?? 1], failure?.text ?? '');
  }
  if (block.rc === 28 || /timed out/i.test(block.text)) return bad(block, 'timeout', lineOf(block, /timed out/i), 'Connection timed out');
  return block.rc === 0 ? good(block, [1]) : null;
}

const connectTime = (text: string): number | undefined => {
  const match = /\bconnect=([\d.]+)/.exec(text);
  return match ? Math.round(Number(match[1]) * 100_000) / 100 : undefined;
};
