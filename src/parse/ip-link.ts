import type { Link } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { looksLikeJson } from './json-items.ts';
import { parseLinkJson } from './link-json.ts';
import { parseLinkText } from './link-text.ts';

/**
 * `ip link` and `ip addr` in every form: plain, `-d`, `-s`, `-s -s`, `-o`, `-br`, `-j` (there `line` is the number of the item), iproute2 3.10 to 6.15,
 * and BusyBox 1.35, whose unknown flag bits are glued to the last flag (`<…,UP400>`: kept as a flag of its own, `0x400`) and whose peer name is looked
 * up in the wrong namespace. Grammar: print_linkinfo() and print_addrinfo() in iproute2's ip/ipaddress.c.
 *
 * There is always a loopback interface, so an empty text is never complete.
 */
export const parseIpLink = (text: string): Parsed<Link[]> => {
  const parsed = looksLikeJson(text) ? parseLinkJson(text) : parseLinkText(text);
  return { ...parsed, complete: parsed.complete && parsed.value.length > 0 };
};
