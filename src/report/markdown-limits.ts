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
export function fitInto(most: number, lastWords: string, sectionsOf: (limits: Limits) => Iterable<string>): string {
  for (const [step, limits] of ladder.entries()) {
    const { sections, complete } = take(sectionsOf(limits), most - lastWords.length - SEPARATOR.length);
    if (complete || step === ladder.length - 1) {
      return `${(step === 0 ? sections : [...sections, lastWords]).join(SEPARATOR)}\n`;
    }
  }

  return lastWords;
}

const SEPARATOR = '\n\n';

/** Sections as long as they fit. They are made one by one, so that of a report that is far too long only the beginning is ever made. */
function take(sections: Iterable<string>, most: number): { sections: string[]; complete: boolean } {
  const taken: string[] = [];
  let left = most;
  for (const section of sections) {
    left -= section.length + SEPARATOR.length;
    if (left < 0) {
      return { sections: taken, complete: false };
    }

    if (section !== '') {
      taken.push(section);
    }
  }

  return { sections: taken, complete: true };
}
