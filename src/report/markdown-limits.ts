/** How much of a report a ticket takes. Each step down the ladder cuts the least telling things first: evidence, then lists, then prose. */
export interface Limits {
  /** Quoted lines of each output. */
  evidenceLines: number;
  evidenceCharacters: number;
  /** Items of each list: path, probes, ruled out, not checked, steps. */
  items: number;
  findings: number;
  proseCharacters: number;
}

const NONE = Number.POSITIVE_INFINITY;

const ladder: readonly Limits[] = [
  { evidenceLines: NONE, evidenceCharacters: NONE, items: NONE, findings: NONE, proseCharacters: NONE },
  { evidenceLines: 200, evidenceCharacters: 2000, items: NONE, findings: NONE, proseCharacters: NONE },
  { evidenceLines: 40, evidenceCharacters: 1000, items: NONE, findings: NONE, proseCharacters: NONE },
  { evidenceLines: 8, evidenceCharacters: 480, items: NONE, findings: NONE, proseCharacters: 4000 },
  { evidenceLines: 2, evidenceCharacters: 480, items: 100, findings: 50, proseCharacters: 1000 },
  { evidenceLines: 1, evidenceCharacters: 240, items: 10, findings: 10, proseCharacters: 240 },
];

/**
 * Makes text by `sectionsOf` within `most` characters: the first step of the ladder that fits, or else as many sections of the last step as
 * fit. `sectionsOf` must give sections that stand by themselves, so that one can be left out.
 *
 * @param lastWords says that something was cut; it is added wherever something was.
 */
export function fitInto(most: number, lastWords: string, sectionsOf: (limits: Limits) => readonly string[]): string {
  let sections: readonly string[] = [];
  for (const [step, limits] of ladder.entries()) {
    sections = step === 0 ? sectionsOf(limits) : [...sectionsOf(limits), lastWords];
    const text = joined(sections);
    if (text.length <= most) {
      return text;
    }
  }

  const kept: string[] = [];
  for (const section of sections) {
    if (joined([...kept, section, lastWords]).length <= most) {
      kept.push(section);
    }
  }

  return joined(kept.at(-1) === lastWords ? kept : [...kept, lastWords]);
}

function joined(sections: readonly string[]): string {
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
