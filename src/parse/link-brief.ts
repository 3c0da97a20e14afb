import { parseCidr } from '../model/ip.ts';
import type { Link } from '../model/link.ts';
import { newLink, peerOf, splitFlags } from './link-lines.ts';
import { type Attempt, type TextLine, wordsOf } from './text-lines.ts';

const states: ReadonlySet<string> = new Set(['UP', 'DOWN', 'UNKNOWN', 'NOTPRESENT', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT']);

/** A line of `ip -br link` (`eth0@if9  UP  02:… <FLAGS>`) or `ip -br addr` (`eth0@if9  UP  10.0.0.1/24 metric 100 fe80::1/64`), iproute2 4.10 to 6.15. */
export const parseBriefLine = (line: TextLine): Attempt<Link> => {
  const [first = '', state = '', ...rest] = wordsOf(line.text);
  if (!states.has(state)) return { why: 'not the first line of an interface' };
  const [name = '', at] = splitName(first);
  const link = newLink(line, name);
  const peer = peerOf(at);
  link.state = state;
  if (peer !== undefined) link.peer = peer;
  const flags = /^<([^<>]*)>$/.exec(rest[rest.length - 1] ?? '')?.[1];
  const why = flags === undefined ? readAddresses(link, rest) : readLinkColumns(link, rest.slice(0, -1), flags);
  return why === undefined ? { ok: link } : { why };
};

const splitName = (text: string): [string, string?] => {
  const at = text.indexOf('@');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

const readLinkColumns = (link: Link, columns: readonly string[], flags: string): string | undefined => {
  const [address, ...more] = columns;
  if (more.length > 0) return `unknown word "${more[0]}"`;
  link.flags = splitFlags(flags);
  if (address !== undefined) link.address = address;
  return undefined;
};

const readAddresses = (link: Link, words: readonly string[]): string | undefined => {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const cidr = parseCidr(word);
    const peer = word === 'peer' ? parseCidr(words[at + 1] ?? '') : undefined;
    const last = link.addresses[link.addresses.length - 1];
    if (cidr !== undefined) {
      link.addresses.push({
        line: link.line,
        family: cidr.family,
        address: word.split('/')[0] ?? word,
        prefixLength: cidr.length,
        flags: [],
      });
    } else if (word === 'metric' && last !== undefined && /^[0-9]{1,10}$/.test(words[at + 1] ?? '')) {
      last.metric = Number(words[at + 1]);
      at += 1;
    } else if (peer !== undefined && last !== undefined) {
      last.peer = (words[at + 1] ?? '').split('/')[0] ?? '';
      last.prefixLength = peer.length;
      at += 1;
    } else return `unknown word "${word}"`;
  }
  return undefined;
};
