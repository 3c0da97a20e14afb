import type { Link } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { parseIpLink } from './ip-link.ts';

/**
 * `ip addr` (plain, `-o`, `-br`, `-j`, `-d`, `-s`); the forms and versions of {@link parseIpLink}, of which it is the superset. `ip -o addr` prints a line
 * per address and no flags for most: there `flags` is undefined.
 */
export const parseIpAddr = (text: string): Parsed<Link[]> => parseIpLink(text);
