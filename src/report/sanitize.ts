import type { Report } from '../schema/report.ts';

declare const clean: unique symbol;

/** A report whose strings hold nothing that a terminal, a ticket or a reader's eye could be tricked with. Only `cleanReport` makes one. */
export type CleanReport = Report & { readonly [clean]: true };

/**
 * The one place where text that came from a cluster is made fit to be put out, for every format: a deep walk over all strings of the report.
 * Every reporter takes a `CleanReport`, so that none can forget it.
 *
 * Lines of evidence keep their tabs, since a quoted line should be found again with grep; in all other strings a tab or a line end becomes
 * one space, since a line end in a name or an error text would forge a line of the report.
 */
export function cleanReport(report: Report): CleanReport {
  return mapStrings(report as CleanReport, (text, key) => cleanText(text, key === 'text'));
}

/** Any other report, cleaned in the same way. */
export const cleanStrings = <T>(value: T): T => mapValue(value, '', (text, key) => cleanText(text, key === 'text')) as T;

/** The same report with every string changed; `key` is the name of the field that holds the string, or holds the list that it is in. */
export function mapStrings(report: CleanReport, change: (text: string, key: string) => string): CleanReport {
  return mapValue(report, '', change) as CleanReport;
}

/**
 * Takes out of one string: terminal escape sequences (ECMA-48 CSI, OSC, DCS, SOS, PM, APC and two-character escapes, 7-bit and 8-bit), C0 and
 * C1 controls, and everything that Unicode calls a format character or default-ignorable (bidi overrides and isolates, zero-width characters,
 * tags). Lone surrogates become U+FFFD. The visible text between them stays.
 *
 * @param keepTabs for quoted output; otherwise a tab becomes a space like a line end does.
 */
export function cleanText(text: string, keepTabs = false): string {
  return withoutLineEnd(text.replace(ESCAPE_SEQUENCES, ''))
    .replace(keepTabs ? LINE_ENDS : LINE_ENDS_AND_TABS, ' ')
    .replace(keepTabs ? INVISIBLE_BUT_TABS : INVISIBLE, '')
    .replace(LONE_SURROGATES, '\uFFFD');
}

// ESC or its 8-bit form; none of the inner classes contains an introducer, so that a text full of unended sequences is still read in linear time.
const ESCAPE_SEQUENCES =
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u0090\u0098\u009C-\u009F]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-~]/gu;
const LINE_ENDS = /[\n\v\f\r\u0085\u2028\u2029]+/gu;
const LINE_ENDS_AND_TABS = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const INVISIBLE_BUT_TABS = /(?!\t)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Not `/[\r\n]+$/`, which takes quadratic time on many line ends that are not at the end. */
function withoutLineEnd(text: string): string {
  let end = text.length;
  while (end > 0 && '\r\n'.includes(text.charAt(end - 1))) {
    end -= 1;
  }

  return text.slice(0, end);
}

function mapValue(value: unknown, key: string, change: (text: string, key: string) => string): unknown {
  if (typeof value === 'string') {
    return change(value, key);
  }

  if (Array.isArray(value)) {
    return value.map((item) => mapValue(item, key, change));
  }

  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapValue(item, name, change)]));
  }

  return value;
}
