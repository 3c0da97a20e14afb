/**
 * Quotes one word for a POSIX shell. Everything but a small safe alphabet is put in single quotes (POSIX.1-2017, Shell Command Language 2.2.2).
 */
export function quote(word: string): string {
  if (word === '') return "''";
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export const quoteAll = (words: readonly string[]): string => words.map(quote).join(' ');
