export interface Token {
  text: string;
  /** A quoted word is always a value, even when it begins with a dash. */
  quoted: boolean;
}

/**
 * Splits a rule as iptables-save and iptables -S print it: blanks separate words; a word with other than plain characters stands in double
 * quotes, in which `\"`, `\\` and `\'` are escaped (xtables_save_string in iptables 1.4 to 1.8).
 * Returns undefined when a quote is never closed: the line was cut.
 */
export function tokensOf(line: string): Token[] | undefined {
  const tokens: Token[] = [];
  let position = 0;
  while (position < line.length) {
    const character = line[position];
    if (character === ' ' || character === '\t') {
      position++;
    } else if (character === '"') {
      const quoted = quotedAt(line, position);
      if (quoted === undefined) return undefined;
      tokens.push({ text: quoted.text, quoted: true });
      position = quoted.end;
    } else {
      const end = wordEnd(line, position);
      tokens.push({ text: line.slice(position, end), quoted: false });
      position = end;
    }
  }
  return tokens;
}

function wordEnd(line: string, start: number): number {
  for (let position = start; position < line.length; position++) {
    const code = line.charCodeAt(position);
    if (code === 32 || code === 9) return position;
  }
  return line.length;
}

function quotedAt(line: string, start: number): { text: string; end: number } | undefined {
  const plainEnd = line.indexOf('"', start + 1);
  const plain = plainEnd < 0 ? undefined : line.slice(start + 1, plainEnd);
  if (plain !== undefined && !plain.includes('\\')) return { text: plain, end: plainEnd + 1 };
  let text = '';
  for (let position = start + 1; position < line.length; position++) {
    const character = line[position];
    if (character === '"') return { text, end: position + 1 };
    if (character === '\\' && position + 1 < line.length) {
      position++;
      text += line[position];
    } else {
      text += character;
    }
  }
  return undefined;
}

/** Reads a rule's words from left to right. */
export interface TokenReader {
  peek: () => Token | undefined;
  /** The word so many places ahead; 0 is the next one. */
  peekAt: (ahead: number) => Token | undefined;
  next: () => Token | undefined;
  /** The next word as a value, whatever it looks like. */
  value: () => string | undefined;
}

export function tokenReader(tokens: readonly Token[]): TokenReader {
  let position = 0;
  return {
    peek: () => tokens[position],
    peekAt: (ahead) => tokens[position + ahead],
    next: () => tokens[position++],
    value: () => tokens[position++]?.text,
  };
}
