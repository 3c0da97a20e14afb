import { isIP } from 'node:net';
import type { Nameserver, ResolvConf } from '../model/dns.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/**
 * Reads /etc/resolv.conf the way glibc 2.26 and later does (resolv/res_init.c, resolv.conf(5)). What musl 1.2 does otherwise
 * (src/network/resolvconf.c) is told in `notes`.
 */
export function parseResolvConf(text: string): Parsed<ResolvConf> {
  const value: ResolvConf = {
    nameservers: [],
    search: undefined,
    options: [],
    ndots: 1,
    timeoutSeconds: 5,
    attempts: 2,
    ignored: [],
    comments: [],
    readErrors: [],
    notes: [],
  };
  const unparsed = applyRules(linesOf(text), value, rules, 'no keyword of resolv.conf');
  markUsed(value.nameservers);
  applyOptions(value);
  value.notes.push(...notesOf(value, text));
  return { value, unparsed, complete: unparsed.length === 0 && value.readErrors.length === 0 };
}

/**
 * The absolute names (with a final dot) that glibc's getaddrinfo asks for, in order, until one is answered: resolv/res_query.c `__res_context_search`.
 * A name with at least ndots dots is tried as it is first; a name with a final dot is only tried as it is.
 * Without `search` and `domain` glibc takes the domain of the host's own name, which is not in the file: then the list may be too short, and a note says so.
 */
export function searchCandidates(conf: Pick<ResolvConf, 'search' | 'ndots' | 'options'>, name: string): string[] {
  if (name.endsWith('.')) return [name];
  const asIs = `${name}.`;
  const dots = name.split('.').length - 1;
  const domains = conf.search?.domains ?? [];
  const searched = domains.map((domain) => (domain === '.' ? asIs : `${name}.${domain.replace(/\.$/, '')}.`));
  if (dots >= conf.ndots) return distinct([asIs, ...searched]);
  const singleLabelRefused = dots === 0 && domains.length > 0 && conf.options.some((option) => option.name === 'no-tld-query');
  return distinct(singleLabelRefused ? searched : [...searched, asIs]);
}

const rules: readonly LineRule<ResolvConf>[] = [
  [/^[#;]/, (conf, _groups, { line }) => conf.comments.push(line)],
  [
    /^nameserver[ \t]+([^ \t#;]+)(?:[ \t#;].*)?$/,
    (conf, [, address = ''], { line }) => conf.nameservers.push({ line, address, used: isAddress(address) }),
  ],
  [/^(search|domain)[ \t]+(\S.*)$/, (conf, [, keyword = '', list = ''], at) => takeSearch(conf, keyword, list, at)],
  [
    /^(?:search|domain|options)[ \t]*$/,
    (conf, _groups, { line, text }) => conf.ignored.push({ line, text, why: 'nothing behind the keyword' }),
  ],
  [
    /^options[ \t]+(\S.*)$/,
    (conf, [, list = ''], { line }) => {
      for (const option of list.split(/[ \t]+/).filter(Boolean)) {
        const colon = option.indexOf(':');
        conf.options.push({
          line,
          name: colon < 0 ? option : option.slice(0, colon),
          value: colon < 0 ? undefined : option.slice(colon + 1),
        });
      }
      return undefined;
    },
  ],
  [/^sortlist[ \t]/, (conf, _groups, { line, text }) => conf.ignored.push({ line, text, why: 'sortlist only orders the addresses found' })],
  [
    /^(?:lookup|family|interface|port)[ \t]/,
    (conf, _groups, { line, text }) => conf.ignored.push({ line, text, why: 'a BSD keyword: no Linux resolver reads it' }),
  ],
  [
    /^[ \t]+(?:nameserver|search|domain|options|sortlist)[ \t]/,
    (conf, _groups, { line, text }) =>
      conf.ignored.push({ line, text, why: 'begins with a blank: resolvers only read keywords in the first column' }),
  ],
  [/^(?:cat|head|tail|wc|ls): \S+: \S.*$/, (conf, [text = ''], { line }) => conf.readErrors.push({ line, text })],
  [/^\s*\d+ \/\S*resolv\S*$/, (conf, [text = ''], { line }) => conf.readErrors.push({ line, text })],
];

function takeSearch(conf: ResolvConf, keyword: string, list: string, { line, text }: { line: number; text: string }): undefined {
  if (conf.search)
    conf.ignored.push({
      line: conf.search.line,
      text: `${conf.search.keyword} ${conf.search.domains.join(' ')}`,
      why: `overridden by line ${line}`,
    });
  const words = list.split(/[ \t]+/).filter(Boolean);
  conf.search = keyword === 'search' ? { line, keyword, domains: words } : { line, keyword: 'domain', domains: words.slice(0, 1) };
  if (keyword === 'domain' && words.length > 1) conf.ignored.push({ line, text, why: 'only the first word of a domain line counts' });
  return undefined;
}

/** fe80::1%eth0 is an address to inet_pton with a scope; `1.1.1.1.` is none. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 || isOldIPv4(text);
}

/** inet_aton also takes `10.1` and hexadecimal parts. */
function isOldIPv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length <= 4 && parts.every((part) => /^(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(part));
}

function markUsed(nameservers: Nameserver[]): void {
  let taken = 0;
  for (const server of nameservers) {
    server.used = server.used && taken < 3;
    if (server.used) taken += 1;
  }
}

function applyOptions(conf: ResolvConf): void {
  conf.ndots = Math.min(lastNumber(conf, 'ndots') ?? 1, 15);
  conf.timeoutSeconds = Math.min(lastNumber(conf, 'timeout') ?? 5, 30);
  conf.attempts = Math.min(lastNumber(conf, 'attempts') ?? 2, 5);
}

/** glibc reads with atoi: what is not a number counts as 0. */
function lastNumber(conf: ResolvConf, name: string): number | undefined {
  const option = conf.options.findLast((candidate) => candidate.name === name && candidate.value !== undefined);
  return option && Number(/^\d{1,9}/.exec(option.value ?? '')?.[0] ?? 0);
}

function notesOf(conf: ResolvConf, text: string): string[] {
  const notes: string[] = [];
  const domains = conf.search?.domains ?? [];
  const length = domains.join(' ').length;
  if (!conf.nameservers.some((server) => server.used)) notes.push('no usable nameserver: resolvers ask 127.0.0.1');
  if (conf.nameservers.length > 3) notes.push('glibc and musl use the first three nameservers only');
  if (!conf.search) notes.push("no search list: glibc takes the domain of the host's own name, musl none");
  if (domains.length > 6) notes.push('glibc before 2.26 uses the first six search domains only');
  if (length > 255) notes.push('musl takes no notice of a search list of more than 255 characters, and glibc before 2.26 cuts it at 256');
  if (conf.ndots > 1 && domains.length > 0)
    notes.push('musl stops the search at the first answer that is neither found nor NXDOMAIN (for example SERVFAIL)');
  if (conf.search) notes.push('musl never searches for a name with ndots dots or more, not even after NXDOMAIN');
  if (conf.nameservers.length > 1) notes.push('musl asks all nameservers at once and takes the first answer; glibc asks them in order');
  if (text.includes('\r')) notes.push('the file has carriage returns: they become part of the last search domain and option of a line');
  return notes;
}

const distinct = (names: string[]): string[] => [...new Set(names)];
