import { paragraph } from './layout.ts';
import type { Style } from './style.ts';

/**
 * Numbered steps in words. A command between backticks that ends a step gets a line of its own, without the backticks: pasted with them, a
 * shell would run the output of the command too.
 */
export function stepLines(steps: readonly string[], { indent, width, style }: { indent: number; width: number; style: Style }): string[] {
  return steps.flatMap((step, index) => {
    const label = `${index + 1}.`;
    const { words = '', command } = LAST_COMMAND.exec(step)?.groups ?? {};
    if (command === undefined) {
      return paragraph(step, { label, indent, width });
    }

    const margin = ' '.repeat(indent + label.length + 1);
    return words === ''
      ? [`${' '.repeat(indent)}${label} ${style.command(command)}`]
      : [...paragraph(words, { label, indent, width }), `${margin}${style.command(command)}`];
  });
}

/** A single word between backticks, such as a flag, is no command. */
const LAST_COMMAND = /^(?<words>[^`]*(?:`[^`]*`[^`]*)*)`(?<command>[^`\s]+ [^`]+)`\.?$/u;
