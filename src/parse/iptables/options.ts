import type { ModuleOption } from '../../model/netfilter.ts';
import type { Token, TokenReader } from './tokens.ts';

/**
 * Options whose value is free text and may begin with a dash without being quoted (`--comment -foo`): they always take the next word.
 * xtables_save_string leaves words of letters, digits, `-` and `_` unquoted.
 */
const takesFreeText = new Set([
  'comment',
  'log-prefix',
  'nflog-prefix',
  'ulog-prefix',
  'string',
  'hex-string',
  'name',
  'hashlimit-name',
  'label',
  'nfacct-name',
  'rateest-name',
]);

/** Reads the values of an option whose name was just taken: everything up to the next option, exclamation mark or `-j`, `-m`, … */
export function readOption(name: string, negatedBefore: boolean, reader: TokenReader): ModuleOption {
  const negatedBehind = isValue(reader.peekAt(1)) && takeNegation(reader);
  const negated = negatedBehind || negatedBefore;
  const values: string[] = [];
  if (takesFreeText.has(name)) {
    const text = reader.value();
    if (text !== undefined) values.push(text);
  } else {
    while (isValue(reader.peek())) values.push(reader.value() ?? '');
  }
  return { name, negated, values };
}

/** Takes a `!` that belongs to what follows: before an option, or (iptables before 1.4.3) before its value. */
export function takeNegation(reader: TokenReader): boolean {
  const token = reader.peek();
  if (token === undefined || token.quoted || token.text !== '!') return false;
  reader.next();
  return true;
}

export const optionOf = (options: readonly ModuleOption[], ...names: string[]): ModuleOption | undefined =>
  options.find((option) => names.includes(option.name));

export const optionValue = (options: readonly ModuleOption[], ...names: string[]): string | undefined =>
  optionOf(options, ...names)?.values[0];

/** The options as iptables would print them. */
export const optionsText = (options: readonly ModuleOption[]): string => options.map(optionText).join(' ');

export const optionText = ({ name, negated, values }: ModuleOption): string =>
  [...(negated ? ['!'] : []), `--${name}`, ...values.map(takesFreeText.has(name) ? quoted : quotedIfNeeded)].join(' ');

/** As xtables_save_string of libxtables writes free text: in quotes unless it is letters, digits, `-` and `_` only. */
const quoted = (text: string): string => (/^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, '\\$&')}"`);

/** Other values stand bare where they can be told from an option, an exclamation mark and the next word. */
const quotedIfNeeded = (text: string): string => (/^[^\s"'\\!-][^\s"\\]*$/.test(text) ? text : quoted(text).replace(/^[^"].*$/s, '"$&"'));

/** Whether every option is one of these: what is not known may change what the others mean. */
export const onlyOptions = (options: readonly ModuleOption[], ...names: string[]): boolean =>
  options.every((option) => names.includes(option.name));

const isShortOption = (token: Token): boolean => /^-[a-zA-Z]$/.test(token.text);

function isValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.quoted) return true;
  return token.text !== '!' && !token.text.startsWith('--') && !isShortOption(token);
}
