import { spawnSync } from 'node:child_process';
import type { NetfilterRuleset } from '../../src/model/netfilter.ts';
import { printNft } from '../../src/parse/nft/print.ts';
import { parseNftCommands } from '../../src/parse/nft-commands.ts';
import { parseNftJson } from '../../src/parse/nft-json.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { inImage } from './image.ts';
import type { Input } from './inputs.ts';
import type { Tool } from './namespace.ts';
import type { Attempt } from './run.ts';

/** The nft that printed an input should load it: 1.0.6 refuses much of what 1.1.3 prints. */
const programs = ['nft', `${inImage} nft`].flatMap((command) => {
  const version = /v([\d.]+)/.exec(spawnSync('sh', ['-c', `${command} --version`], { encoding: 'utf8' }).stdout)?.[1];
  return version === undefined ? [] : [{ command, version }];
});

/** The nft of the input's version; where that is not known or not here, all of them, the newest first: it takes what older ones print. */
function toolsFor(version: string | undefined): string[] {
  const exact = programs.filter((program) => program.version === version);
  const tried = exact.length > 0 ? exact : programs.toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  return tried.map(({ command }) => command);
}

const toolOf = (nft: string, isJson: boolean): Tool => ({
  load: `${nft} ${isJson ? '-j ' : ''}-f - <rules`,
  list: `${nft} -j list ruleset`,
  flush: `${nft} flush ruleset`,
});

function parse({ form, text }: Input): NetfilterRuleset {
  if (form === 'nft-json') return parseNftJson(text).value;
  return form === 'nft-commands' ? parseNftCommands(text).value : parseNftText(text).value;
}

export function nftLoads(input: Input): Attempt[] {
  const text = printNft(parse(input));
  const prepare = devicesOf(input.text).map((device) => `ip link add '${device}' type bridge`);
  return toolsFor(input.version).map((nft) => ({
    raw: { tool: toolOf(nft, input.form === 'nft-json'), text: input.text, prepare },
    printed: { tool: toolOf(nft, false), text, prepare },
  }));
}

/** Devices that have to be there: chains and flowtables hang on them, and `iif` is kept as their number. */
function devicesOf(text: string): string[] {
  const named = [
    ...text.matchAll(/\b(?:device|[io]if) "?([\w.-]+)"?/g),
    ...text.matchAll(/"dev": ?"([\w.-]+)"/g),
    ...text.matchAll(/devices = \{([^}]*)\}/g),
  ];
  const devices = named.flatMap((found) => [...(found[1] ?? '').matchAll(/[\w.-]+/g)].map((word) => word[0]));
  return [...new Set(devices)].filter((device) => device !== 'lo' && device !== 'type' && device !== 'missing');
}

/**
 * What the kernel holds, as nft's JSON without what says nothing of the rules: handles, the tool's version, and what is left of an element's time. The
 * kernel keeps elements in an order of its own, so that they are sorted.
 */
export function nftRules(json: string): string[] {
  const objects = listing(json)?.nftables ?? [];
  return objects.filter((object) => !('metainfo' in object)).map((object) => JSON.stringify(withoutNumbers(object)));
}

/** nft 1.0.6 writes JSON that is none where a table is dormant. */
function listing(json: string): { nftables: Record<string, unknown>[] } | undefined {
  try {
    return JSON.parse(json.slice(json.indexOf('{')));
  } catch {
    return undefined;
  }
}

function withoutNumbers(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutNumbers(item));
    return name === 'set' || name === 'elem' ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'handle' && key !== 'expires')
      .map(([key, inner]) => [key, withoutNumbers(inner, key)]),
  );
}
