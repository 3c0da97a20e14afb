import { describe, expect, it } from 'vitest';
import { type NodeOutput, nodeOutputs } from './node-outputs.ts';
import { unquoted } from './quoted-lines.ts';

const outputs = nodeOutputs();

/** What a program says about itself (`netstat: invalid option`) is no output of the command. */
const isToolMessage = (line: string): boolean => /^(netstat|ip|ss|conntrack): /.test(line);

/** Lines of no part of a series that are understood: of `ip route; ip rule`, each parser reads its own lines. */
const unparsedByAll = (output: NodeOutput): number[] => {
  const results = output.parsers.map((parse) => parse(output.text).unparsed.map(({ line }) => line));
  return (results[0] ?? []).filter((line) => results.every((lines) => lines.includes(line)));
};

describe('outputs of real tools in known states', () => {
  it.each(outputs.map((output) => [output.name, output] as const))('%s: every line is parsed or listed as unparsed', (_, output) => {
    for (const parse of output.parsers) expect(unquoted(output.text, parse(output.text))).toEqual([]);
  });

  it('reads at least 97 % of the undamaged ones without an unparsed line', () => {
    const whole = outputs.filter((output) => !output.damaged);
    const refused = whole
      .filter((output) => unparsedByAll(output).length > 0)
      .map((output) => `${output.name}: ${unparsedByAll(output).join(', ')}`);
    expect(whole.length).toBeGreaterThanOrEqual(60);
    expect(refused.length / whole.length, refused.join('\n')).toBeLessThanOrEqual(0.03);
  });

  it('never calls a damaged one complete', () => {
    const damaged = outputs.filter((output) => output.damaged);
    expect(damaged.length).toBeGreaterThanOrEqual(6);
    for (const output of damaged) for (const parse of output.parsers) expect(parse(output.text).complete, output.name).toBe(false);
  });

  it('never calls one complete whose last line was cut', () => {
    for (const { name, text, parsers } of outputs.filter(
      (output) => !output.text.trimStart().startsWith('[') && output.text.trim() !== '',
    )) {
      const cut = text.trimEnd().slice(0, -3);
      for (const parse of parsers) expect(parse(cut).complete, name).toBe(false);
    }
  });

  it('has the lines that matter in a value, or says that it could not read them', () => {
    for (const { name, text, lookFor, parsers, damaged } of outputs.filter((output) => output.parsers.length === 1)) {
      const [parse] = parsers;
      if (parse === undefined || damaged || text.trimStart().startsWith('[')) continue;
      const { unparsed } = parse(text);
      const numbers = text.split('\n').flatMap((line, index) => (lookFor.includes(line) && !isToolMessage(line) ? [index + 1] : []));
      for (const number of numbers)
        expect(
          unparsed.filter(({ line }) => line === number),
          `${name} line ${number}`,
        ).toEqual([]);
    }
  });
});
