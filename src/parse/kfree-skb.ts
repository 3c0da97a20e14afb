import type { DroppedPacket } from '../model/dropped-packet.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { readText, unparsedLine } from './text-lines.ts';

/**
 * Events of the tracepoint skb:kfree_skb as a trace buffer of tracefs prints them (kernel 2.6.30 to 6.18, include/trace/events/skb.h; Documentation/trace/ftrace.rst for the columns before).
 * `complete` is false when the kernel overwrote events (`CPU:0 [LOST 12 EVENTS]`) or the text was cut. Events of other tracepoints are unparsed.
 */
export const parseKfreeSkb = (text: string): Parsed<DroppedPacket[]> => {
  const { lines, whole } = readText(text);
  const value: DroppedPacket[] = [];
  const unparsed: UnparsedLine[] = [];
  let lost = false;
  for (const line of lines) {
    if (line.text.trim() === '' || line.text.startsWith('#')) continue;
    if (/^CPU:\d+ \[LOST \d+ EVENTS\]/.test(line.text)) {
      lost = true;
      continue;
    }
    const [, seconds, parts = '', fields = ''] = event.exec(line.text) ?? [];
    const protocol = /\bprotocol=(\d+)\b/.exec(fields)?.[1];
    const location = /\blocation=([^\s+]+)/.exec(fields)?.[1];
    if (seconds === undefined || protocol === undefined || location === undefined) {
      unparsed.push(unparsedLine(line, 'no event of kfree_skb'));
      continue;
    }
    const reason = /\breason: (\S+)/.exec(fields)?.[1];
    value.push({ line: line.line, at: Number(seconds) * 1_000_000 + Number(parts), protocol: Number(protocol), location, reason });
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && !lost };
};

/** ` kworker/1:0-32533   [001] ..s2. 1795289583.659077: kfree_skb: skbaddr=… ` The task's name may have blanks and brackets in it. */
const event = /\[\d{3,}\] \S+ +(\d+)\.(\d{6}): kfree_skb: (.*)$/;
