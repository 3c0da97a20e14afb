import type { Parsed } from '../model/parsed.ts';
import type { WgetOutput } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads what GNU wget 1.14 to 1.25 (src/connect.c, src/http.c; English, and German for the connect lines) and BusyBox wget 1.28 to 1.37
 * (networking/wget.c) say on standard error. kubectl's "pod … deleted" may be glued to the last word. Lines that are not wget's count as body only when
 * wget itself said something.
 */
export function parseWget(text: string): Parsed<WgetOutput> {
  const value: WgetOutput = { attempts: [], errors: [], responses: [], body: [], saved: [], marks: [], otherLines: [] };
  const left = applyRules(linesOf(text), value, rules, 'no line of wget');
  const isWget = value.attempts.length + value.errors.length + value.responses.length + value.saved.length > 0;
  if (isWget) value.body = left.map(({ line, text: body }) => ({ line, text: body }));
  const ended =
    value.errors.length + value.saved.length + value.responses.length > 0 || value.attempts.some(({ result }) => result === 'failed');
  return { value, unparsed: isWget ? [] : left, complete: endsInLine(text) && isWget && ended };
}

const rules: readonly LineRule<WgetOutput>[] = [
  [
    /^--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-- {2}\S+$|^--\d\d:\d\d:\d\d-- {2}\S+$|^ {11}=> /,
    ({ otherLines }, _groups, at) => otherLines.push(at.line),
  ],
  [
    /^(?:Resolving|Auflösen des Hostnamens) (\S+?)(?: \(\S+\))?(?:\.\.\.| …) ?(?:failed|fehlgeschlagen): (.+)$/,
    ({ errors }, [, name = '', words = ''], { line }) =>
      errors.push({ ...failureOfWords(line, words, { name }), cause: 'name', couldBe: ['name'] }),
  ],
  [/^(?:Resolving|Auflösen des Hostnamens) .*$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
  [
    /^(?:Connecting to|Verbindungsaufbau zu) (\S+?)(?: \(\S+\))?\|?(?:([^|\s]+)\|)?:(\d+)(?:\.\.\.| …) ?(.*)$/,
    ({ attempts }, [, host = '', address = '', port = '', words = ''], { line }) => {
      const where = hostOf(host, address, port);
      const isOpen = /^(?:connected|verbunden)\.$/.test(words);
      const failed = /^(?:failed|fehlgeschlagen): (.+?)\.?$/.exec(words)?.[1];
      const failure = failed === undefined ? undefined : failureOfWords(line, failed, where);
      attempts.push({
        line,
        address: where.address,
        name: where.name,
        port: Number(port),
        result: isOpen ? 'open' : failure ? 'failed' : 'unknown',
        failure,
      });
    },
  ],
  [
    /^Connecting to (\S+) \((\S+?):(\d+)\)$/,
    ({ attempts }, [, host = '', address = '', port = ''], { line }) => {
      const where = hostOf(host.replace(/:\d+$/, ''), address.replace(/^\[|\]$/g, ''), port);
      attempts.push({ line, address: where.address, name: where.name, port: Number(port), result: 'unknown', failure: undefined });
    },
  ],
  [
    /^(?:HTTP request sent, awaiting response|Proxy request sent, awaiting response|HTTP-Anforderung gesendet, auf Antwort wird gewartet)(?:\.\.\.| …) ?(\d{3}) ?(.*)$/,
    ({ responses }, [, status, reason = ''], { line }) => responses.push({ line, status: Number(status), reason }),
  ],
  [
    /^HTTP request sent, awaiting response\.\.\. ?(.*)$/,
    ({ errors }, [, words = ''], { line }) => errors.push(failureOfWords(line, words)),
  ],
  [
    /^ {2}HTTP\/(\S+) (\d{3}) ?(.*)$/,
    ({ responses }, [, , status, reason = ''], { line }) => responses.push({ line, status: Number(status), reason }),
  ],
  [
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ERROR (\d{3}): (.*)$/,
    ({ responses }, [, status, reason = ''], { line }) => responses.push({ line, status: Number(status), reason }),
  ],
  [
    /^wget: server returned error: HTTP\/\S+ (\d{3}) ?(.*)$/,
    ({ responses }, [, status, reason = ''], { line }) => responses.push({ line, status: Number(status), reason }),
  ],
  [
    /^wget: can't connect to remote host(?: \(([^)]+)\))?: (.+)$/,
    ({ errors }, [, address = '', words = ''], { line }) => errors.push(failureOfWords(line, words, { address })),
  ],
  [
    /^wget: bad address '([^']*)'$/,
    ({ errors }, [text = '', name = ''], { line }) => errors.push(failureOfWords(line, text, { name: name.replace(/:\d+$/, '') })),
  ],
  [
    /^wget: unable to resolve host address ['‘]([^'’]*)['’]$/,
    ({ errors }, [text = '', name = ''], { line }) => errors.push(failureOfWords(line, text, { name })),
  ],
  [/^wget: download timed out(?:pod .*)?$/, ({ errors }, _groups, { line }) => errors.push(failureOfWords(line, 'download timed out'))],
  [/^wget: (error getting response|note: .*|.+)$/, ({ errors }, [, words = ''], { line }) => errors.push(failureOfWords(line, words))],
  [
    /^(?:ERROR: cannot verify .*|OpenSSL: error:.*|ERROR: .*certificate.*)$/,
    ({ errors }, [text = ''], { line }) => errors.push({ ...failureOfWords(line, text), cause: 'tls', couldBe: ['tls'] }),
  ],
  [
    /^(?:Read error|No data received|Unable to establish SSL connection|Giving up)[. (].*$|^(?:No data received|Giving up)\.$/,
    ({ errors }, [text = ''], { line }) =>
      errors.push({
        ...failureOfWords(line, text),
        ...(text.startsWith('No data') ? ({ cause: 'empty-reply', couldBe: ['empty-reply'] } as const) : {}),
      }),
  ],
  [
    /^Retrying\.$|^Length: |^Saving to: |^Location: |^Reusing existing connection|^Länge: |^Wird in |^remote file exists|^\s*\d+K[ .]+|^.{1,40}\s+\d+%\s?[|[]|^saving to '|^Spider mode enabled|^ {2}(?:[A-Z][\w-]*): /i,
    ({ otherLines }, _groups, at) => otherLines.push(at.line),
  ],
  [
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.*\) - .*$|^'?.+'? saved$|^written to stdout.*$|^remote file exists$/,
    ({ saved }, [text = ''], { line }) => saved.push({ line, text }),
  ],
  ...shellMarkRules,
];

function hostOf(host: string, address: string, port: string): { address: string; name: string; port: string } {
  const isAddress = /^[\d.]+$|:/.test(host);
  return { address: isAddress ? host : address, name: isAddress ? '' : host, port };
}
