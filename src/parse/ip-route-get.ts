import { z } from 'zod';
import type { IpFamily } from '../model/ip.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import type { RouteGetAnswer, RouteGetMeaning, RouteGetRoute } from '../model/route.ts';
import { parseRouteLine, type RouteOptions } from './ip-route.ts';
import { routeFromJson, routeSchema } from './ip-route-json.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * Answers of `ip route get`, one or several after another, iproute2 3.10 to 6.15, also `fibmatch`, `-o` and `-j` (there `line` is the number of the
 * item). The kernel's refusals are answers too: `RTNETLINK answers: Invalid argument` is a blackhole route, but also what a packet that strict reverse path
 * filtering drops gets; `Permission denied` is a prohibit route, `No route to host` an unreachable route, `Network is unreachable` no route at
 * all (also after a throw route). To read them, standard error has to be recorded in the same text. An empty text is never complete.
 */
export const parseIpRouteGet = (text: string, options: RouteOptions = {}): Parsed<RouteGetAnswer[]> => {
  const parsed = looksLikeJson(text) ? parseAnswersJson(text, options.family) : parseAnswersText(text, options.family);
  return { ...parsed, complete: parsed.complete && parsed.value.length > 0 };
};

/** What the words behind `RTNETLINK answers:` mean for a route lookup. */
export const meaningOf = (message: string): RouteGetMeaning => meanings.get(message) ?? 'other';

const meanings: ReadonlyMap<string, RouteGetMeaning> = new Map([
  ['Invalid argument', 'blackhole-or-rp-filter'],
  ['Invalid cross-device link', 'rp-filter'],
  ['Permission denied', 'prohibit'],
  ['No route to host', 'unreachable'],
  ['Network is unreachable', 'no-route-or-throw'],
]);

const parseAnswersText = (text: string, family: IpFamily | undefined): Parsed<RouteGetAnswer[]> => {
  const { lines, whole } = readText(text);
  const value: RouteGetAnswer[] = [];
  const unparsed: UnparsedLine[] = [];
  for (const line of lines.flatMap(splitOneLine)) {
    if (line.text.trim() === '') continue;
    const last = value[value.length - 1];
    const why = /^\s+cache\b/.test(line.text) && last?.kind === 'route' ? readCacheLine(last, line) : readAnswer(value, line, family);
    if (why !== undefined) unparsed.push(unparsedLine(line, why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};

/** `-o` puts a backslash where the newline would be. */
const splitOneLine = ({ line, text }: TextLine): TextLine[] => text.split('\\').map((part) => ({ line, text: part }));

const readAnswer = (value: RouteGetAnswer[], line: TextLine, family: IpFamily | undefined): string | undefined => {
  const error = /^(?:RTNETLINK answers|Error): (.+)$/.exec(line.text)?.[1]?.trim().replace(/\.$/, '');
  if (error !== undefined) {
    value.push({ kind: 'error', line: line.line, text: line.text, message: error, means: meaningOf(error) });
    return undefined;
  }
  const attempt = parseRouteLine(line, family);
  if (!('ok' in attempt)) return attempt.why;
  const answer: RouteGetRoute = { kind: 'route', line: line.line, route: attempt.ok, cacheFlags: [] };
  const { mark, iif, uid } = attempt.ok.other;
  if (mark !== undefined) answer.mark = mark;
  if (iif !== undefined) answer.iif = iif;
  const uidNumber = toCount(uid);
  if (uidNumber !== undefined) answer.uid = uidNumber;
  // IPv6 has no cache line: the learned path MTU and its expiry stand in the route
  if (attempt.ok.mtu !== undefined && attempt.ok.expires !== undefined) answer.pathMtu = attempt.ok.mtu;
  value.push(answer);
  return undefined;
};

/** `    cache <local,brd> expires 599sec mtu 1400 iif eth0`. */
const readCacheLine = (answer: RouteGetRoute, line: TextLine): string | undefined => {
  const words = wordsOf(line.text).slice(1);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const flags = /^<([a-z0-9_,-]*)>$/.exec(word)?.[1];
    if (flags !== undefined) {
      answer.cacheFlags = flags.split(',').filter((flag) => flag !== '');
      continue;
    }
    at += 1;
    const why = setCacheWord(answer, word, words[at]);
    if (why !== undefined) return why;
  }
  answer.route.text += `\n${line.text}`;
  return undefined;
};

const setCacheWord = (answer: RouteGetRoute, word: string, value: string | undefined): string | undefined => {
  const number = toCount(value?.replace(/sec$/, ''));
  if (word === 'iif' && value !== undefined) answer.iif = value;
  else if (word === 'mtu' && number !== undefined) answer.pathMtu = number;
  else if (word === 'expires' && number !== undefined) answer.route.expires = number;
  else if (['users', 'used', 'age', 'ipid', 'rtt', 'rttvar', 'advmss', 'hoplimit', 'redirect'].includes(word) && value !== undefined)
    answer.route.other[word] = value;
  else return `unknown word "${word}" on the cache line`;
  return undefined;
};

const answerSchema = routeSchema.extend({
  cache: z.array(z.string()).optional(),
  uid: z.number().optional(),
  mark: z.union([z.string(), z.number()]).optional(),
  iif: z.string().optional(),
});

const parseAnswersJson = (text: string, family: IpFamily | undefined): Parsed<RouteGetAnswer[]> =>
  parseJsonItems(text, answerSchema, (item, line): RouteGetAnswer | undefined => {
    const route = routeFromJson(item, line, family);
    if (route === undefined) return undefined;
    const answer: RouteGetRoute = { kind: 'route', line, route, cacheFlags: item.cache ?? [] };
    if (item.uid !== undefined) answer.uid = item.uid;
    if (item.iif !== undefined) answer.iif = item.iif;
    if (item.mark !== undefined) answer.mark = String(item.mark);
    if (route.expires !== undefined && route.mtu !== undefined) answer.pathMtu = route.mtu;
    return answer;
  });
