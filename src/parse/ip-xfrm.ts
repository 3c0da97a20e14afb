import { parseAddress, parseCidr } from '../model/ip.ts';
import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { readText, type TextLine, unparsedLine, wordsOf } from './text-lines.ts';

/** A security association (`ip xfrm state`) or policy (`ip xfrm policy`) of IPsec. */
export interface XfrmEntry extends HasLine {
  /** All its lines; keys are replaced. */
  text: string;
  kind: 'state' | 'policy';
  /** Address of a state, prefix of a policy. */
  src: string;
  dst: string;
  /** First `proto` that is printed: esp, ah… */
  protocol?: string;
  spi?: string;
  reqid?: string;
  mode?: string;
  /** Policies only: in, out, fwd. */
  direction?: string;
  mark?: string;
  /** Addresses of the tunnel that a policy asks for (`tmpl src … dst …`). */
  template?: { src: string; dst: string };
}

/**
 * `ip xfrm state` and `ip xfrm policy`, iproute2 3.10 to 6.15 (ip/ipxfrm.c): a line `src … dst …` and indented lines, which are kept in `text` with the
 * keys of algorithms blanked out, since a report must not carry them. An empty text is an empty table. `Operation not supported` is unparsed.
 */
export const parseIpXfrm = (text: string): Parsed<XfrmEntry[]> => {
  const { lines, whole } = readText(text);
  const value: XfrmEntry[] = [];
  const unparsed: UnparsedLine[] = [];
  let open: XfrmEntry | undefined;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    if (/^\s/.test(line.text) && open !== undefined) readIndented(open, line);
    else {
      open = parseHead(line);
      if (open === undefined) unparsed.push(unparsedLine(line, 'not a state or policy'));
      else value.push(open);
    }
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};

const parseHead = (line: TextLine): XfrmEntry | undefined => {
  const match = /^src (\S+) dst (\S+)(?:\s.*)?$/.exec(line.text);
  const [, src = '', dst = ''] = match ?? [];
  if (parseCidr(src) === undefined || parseCidr(dst) === undefined) return undefined;
  return { ...line, kind: parseAddress(src) === undefined ? 'policy' : 'state', src, dst };
};

const readIndented = (entry: XfrmEntry, line: TextLine): void => {
  entry.text += `\n${line.text.replace(/0x[0-9a-f]{17,}/g, '0x…')}`;
  const words = wordsOf(line.text);
  const after = (word: string): string | undefined => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined);
  const template = words[0] === 'tmpl' ? { src: after('src'), dst: after('dst') } : undefined;
  if (template?.src !== undefined && template.dst !== undefined) entry.template = { src: template.src, dst: template.dst };
  const found = {
    protocol: after('proto'),
    spi: after('spi'),
    reqid: after('reqid'),
    mode: after('mode'),
    direction: after('dir'),
    mark: after('mark'),
  };
  for (const [key, text] of Object.entries(found)) {
    if (text !== undefined && !Object.hasOwn(entry, key)) Object.assign(entry, { [key]: text });
  }
};
