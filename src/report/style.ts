import { Chalk } from 'chalk';

/** How a report is put out. `width` is in terminal columns; `verbose` 0 is the first look, 1 shows all evidence, 2 cuts nothing. */
export interface RenderOptions {
  color: boolean;
  width: number;
  verbose: number;
}

/** Colours by meaning. Every one of them is doubled by a word, so that a report reads the same without colour. */
export interface Style {
  bad: (text: string) => string;
  good: (text: string) => string;
  unsure: (text: string) => string;
  heading: (text: string) => string;
  command: (text: string) => string;
  faint: (text: string) => string;
}

/**
 * Makes the colours of one report. An own Chalk instance, because chalk's default one looks at the environment and at argv by itself, and
 * takes no notice of NO_COLOR (chalk 5.6.2); the command line decides instead. Only the 16 basic colours, which every theme makes readable.
 */
export function createStyle(color: boolean): Style {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return {
    bad: (text) => chalk.red.bold(text),
    good: (text) => chalk.green(text),
    unsure: (text) => chalk.yellow(text),
    heading: (text) => chalk.bold(text),
    command: (text) => chalk.cyan(text),
    faint: (text) => chalk.dim(text),
  };
}

/** The colour of a state word such as `ok`, `FAILED` or `unknown`. */
export function paintState(style: Style, state: string): (text: string) => string {
  if (state === 'ok' || state === 'healthy') {
    return style.good;
  }

  return state === 'failed' || state === 'fault' ? style.bad : style.unsure;
}
