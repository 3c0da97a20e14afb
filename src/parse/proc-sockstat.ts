import type { HasLine, Parsed } from '../model/parsed.ts';
import { type Attempt, emptyRecord, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';

/** Sockets and memory of one protocol. */
export interface SocketUse extends HasLine {
  text: string;
  /** `sockets` (all of them), `TCP`, `UDP`, `UDPLITE`, `RAW`, `FRAG`, and these with a 6. */
  protocol: string;
  /**
   * `used`, `inuse`, `orphan`, `tw` (TIME-WAIT) and `alloc` count sockets, of this network namespace but for `alloc`, which is the whole machine's, as `mem` is: pages, to be held
   * against net.ipv4.tcp_mem. `memory` of FRAG is bytes, against net.ipv4.ipfrag_high_thresh.
   */
  counts: Record<string, number>;
}

/**
 * /proc/net/sockstat and /proc/net/sockstat6 (kernel 2.6 to 6.18), one or both in one text. Kernel: sockstat_seq_show() in net/ipv4/proc.c and sockstat6_seq_show() in
 * net/ipv6/proc.c, both of which end with the fragments.
 */
export const parseProcSockstat = (text: string): Parsed<SocketUse[]> => {
  const parsed = parseEachLine(text, parseRow);
  return { ...parsed, complete: parsed.complete && /^FRAG6?$/.test(parsed.value.at(-1)?.protocol ?? '') };
};

const protocols = /^(sockets|(?:TCP|UDP|UDPLITE|RAW|FRAG)6?):$/;
const names = new Set(['used', 'inuse', 'orphan', 'tw', 'alloc', 'mem', 'memory']);

const parseRow = (line: TextLine): Attempt<SocketUse> => {
  const [head = '', ...words] = wordsOf(line.text);
  const protocol = protocols.exec(head)?.[1];
  if (protocol === undefined || words.length === 0) return { why: 'not the counts of a protocol' };
  const counts = emptyRecord<number>();
  for (let index = 0; index < words.length; index += 2) {
    const [name = '', count] = [words[index], toCount(words[index + 1])];
    if (!names.has(name) || count === undefined) return { why: `"${name}" is no count that is known` };
    counts[name] = count;
  }
  return { ok: { ...line, protocol, counts } };
};
