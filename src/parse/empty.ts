import type { Parsed } from '../model/parsed.ts';
import { wholeText } from './json-items.ts';

/**
 * Nothing at all. Whether the tool had nothing to say or died before it said it (nft 0.9.8 and 1.0.6 end by a signal on newer rulesets) is told by its exit status alone, which
 * a text does not hold: never complete.
 */
export function parseEmpty(text: string): Parsed<{ empty: boolean }> {
  return { value: { empty: text.trim() === '' }, unparsed: wholeText(text, 'there is something'), complete: false };
}
