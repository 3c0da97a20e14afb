import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { readText, type TextLine, toCount, unparsedLine } from './text-lines.ts';

export interface EthtoolFeature extends HasLine {
  text: string;
  /** Interface of the `Features for` heading above; undefined under `Actual changes:`. */
  device?: string;
  name: string;
  on: boolean;
  /** Can't be changed. */
  fixed: boolean;
  /** `off [requested on]`: what was asked for and is not in force. */
  requested?: boolean;
}

export interface EthtoolStatistic extends HasLine {
  text: string;
  name: string;
  value: number;
}

export interface EthtoolSetting extends HasLine {
  text: string;
  name: string;
  /** Continuation lines joined by a blank; may be empty. */
  value: string;
}

/** What ethtool prints, by the kind of section; each may be asked for alone or several may stand in one text. */
export interface EthtoolReport {
  /** Interfaces named in headings. */
  devices: string[];
  features: EthtoolFeature[];
  statistics: EthtoolStatistic[];
  /** `ethtool DEV`. */
  settings: EthtoolSetting[];
  /** `ethtool -i DEV`: driver, version, firmware-version, bus-info… */
  driver: EthtoolSetting[];
}

/**
 * `ethtool -k`, `-S`, `-i` and `ethtool DEV` of ethtool 3.7 to 6.15. Grammar: dump_features(), do_gstats(), dump_drvinfo() in ethtool.c. Names of statistics
 * are the driver's own. Messages (`no stats available`, `Cannot get device …`) are unparsed.
 */
export const parseEthtool = (text: string): Parsed<EthtoolReport> => {
  const { lines, whole } = readText(text);
  const value: EthtoolReport = { devices: [], features: [], statistics: [], settings: [], driver: [] };
  const unparsed: UnparsedLine[] = [];
  const state: State = { value, section: undefined, device: undefined };
  for (const line of lines) {
    if (line.text.trim() === '' || startSection(state, line.text)) continue;
    const why = readSectionLine(state, line);
    if (why !== undefined) unparsed.push(unparsedLine(line, why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && lines.length > 0 };
};

interface State {
  value: EthtoolReport;
  section: 'features' | 'statistics' | 'settings' | 'driver' | undefined;
  device: string | undefined;
}

const headings = [
  [/^Features for (\S+):$/, 'features'],
  [/^Offload parameters for (\S+):$/, 'features'],
  [/^Actual changes:$/, 'features'],
  [/^NIC statistics:$/, 'statistics'],
  [/^Settings for (\S+):$/, 'settings'],
] as const;

const startSection = (state: State, text: string): boolean => {
  for (const [pattern, section] of headings) {
    const match = pattern.exec(text.trimEnd());
    if (match === null) continue;
    state.section = section;
    state.device = match[1];
    if (match[1] !== undefined) state.value.devices.push(match[1]);
    return true;
  }
  if (/^driver: /.test(text)) state.section = 'driver'; // `-i` has no heading: its first line is the driver
  return false;
};

const readSectionLine = (state: State, line: TextLine): string | undefined => {
  if (state.section === 'features') return readFeature(state, line);
  if (state.section === 'statistics') return readStatistic(state.value, line);
  if (state.section === 'settings') return readSetting(state.value.settings, line, /^\s/.test(line.text));
  if (state.section === 'driver') return readSetting(state.value.driver, line, !/^\s/.test(line.text));
  return 'stands before any heading';
};

const readFeature = (state: State, line: TextLine): string | undefined => {
  const match = /^\s*([A-Za-z0-9][^:]*): (on|off)( \[fixed\])?(?: \[(requested|not requested)(?: (on|off))?\])?\s*$/.exec(line.text);
  if (match === null) return 'not a feature';
  const feature: EthtoolFeature = { ...line, name: match[1] ?? '', on: match[2] === 'on', fixed: match[3] !== undefined };
  if (state.device !== undefined) feature.device = state.device;
  if (match[4] !== undefined) feature.requested = match[4] === 'requested' && match[5] !== 'off';
  state.value.features.push(feature);
  return undefined;
};

const readStatistic = (value: EthtoolReport, line: TextLine): string | undefined => {
  const colon = line.text.lastIndexOf(':');
  const number = toCount(line.text.slice(colon + 1).trim());
  const name = line.text.slice(0, Math.max(colon, 0)).trim();
  if (name === '' || number === undefined || !/^\s/.test(line.text)) return 'not a statistic that can be kept exactly';
  value.statistics.push({ ...line, name, value: number });
  return undefined;
};

/** `Name: value`; further link modes stand on lines of their own without a name. */
const readSetting = (settings: EthtoolSetting[], line: TextLine, isIndentedRight: boolean): string | undefined => {
  const match = /^\s*([A-Za-z][^:]*):(?:\s+(.*))?$/.exec(line.text);
  const last = settings[settings.length - 1];
  if (!isIndentedRight) return 'not a setting';
  if (match !== null) {
    settings.push({ ...line, name: match[1] ?? '', value: (match[2] ?? '').trim() });
    return undefined;
  }
  if (last === undefined || !/^\t[\t ]{4,}\S/.test(line.text)) return 'not a setting';
  last.value = `${last.value} ${line.text.trim()}`.trim();
  last.text += `\n${line.text}`;
  return undefined;
};
