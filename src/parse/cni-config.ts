import type { CniConfig, CniFile, CniPlugin, Setting } from '../model/cluster-config.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { type Line, linesOf } from './line-rules.ts';
import { settingAt, settingsBelow, settingsOf } from './settings.ts';

/**
 * Reads CNI configuration of versions 0.1 to 1.1 (containernetworking/cni SPEC.md): one `.conf`/`.json` or `.conflist`, or several files below headings
 * `== PATH` or `==> PATH <==`. Complete when every file is whole JSON and names its plugins.
 */
export function parseCniConfig(text: string): Parsed<CniConfig> {
  const value: CniConfig = { files: [], otherLines: [] };
  const unparsed: UnparsedLine[] = [];
  for (const part of partsOf(linesOf(text))) {
    if (part.heading) value.otherLines.push(part.heading.line);
    for (const line of part.before) unparsed.push({ ...line, why: 'stands before the JSON' });
    const first = part.json[0];
    if (first) takeFile(value, unparsed, part.path, first.line, part.json.map((line) => line.text).join('\n'));
  }
  return { value, unparsed, complete: unparsed.length === 0 && value.files.length > 0 };
}

interface Part {
  path: string | undefined;
  heading: Line | undefined;
  before: Line[];
  json: Line[];
}

/** Splits at headings; what stands before the first `{` of a part is no JSON. */
function partsOf(lines: Line[]): Part[] {
  const parts: Part[] = [{ path: undefined, heading: undefined, before: [], json: [] }];
  for (const line of lines) {
    const [, path] = /^==(?:>)? (\S.*?)(?: <==)?$/.exec(line.text) ?? [];
    const part = parts.at(-1);
    if (path !== undefined) parts.push({ path, heading: line, before: [], json: [] });
    else if (part && (part.json.length > 0 || line.text.trimStart().startsWith('{'))) part.json.push(line);
    else if (line.text.trim() !== '') part?.before.push(line);
  }
  return parts;
}

function takeFile(value: CniConfig, unparsed: UnparsedLine[], path: string | undefined, line: number, json: string): void {
  const { settings, otherLines, unparsed: bad } = settingsOf(json, line);
  for (const line of bad) unparsed.push(line);
  if (bad.length > 0) return;
  const text = (key: string): string | undefined => settingAt(settings, key)?.value?.toString();
  const isList = settings.some((setting) => setting.path.startsWith('plugins.'));
  const plugins = isList ? pluginsAt(settings, 'plugins') : pluginAt(settings, '');
  const file: CniFile = {
    line,
    path,
    form: isList ? 'conflist' : 'conf',
    name: text('name'),
    cniVersion: text('cniVersion'),
    plugins,
    settings,
  };
  if (plugins.length > 0) value.files.push(file);
  else unparsed.push({ line, text: json.split('\n')[0] ?? '', why: 'JSON without a CNI plugin' });
  if (plugins.length > 0) for (const line of otherLines) value.otherLines.push(line);
  else
    unparsed.push(
      ...linesOf(json)
        .slice(1)
        .filter((left) => left.text.trim() !== '')
        .map((left) => ({ line: left.line + line - 1, text: left.text, why: 'JSON without a CNI plugin' })),
    );
}

function pluginsAt(settings: readonly Setting[], path: string): CniPlugin[] {
  const indexes = new Set(settingsBelow(settings, path).map((setting) => setting.path.slice(path.length + 1).split('.')[0] ?? ''));
  return [...indexes].flatMap((index) => pluginAt(settings, `${path}.${index}.`));
}

/** None where no `type` is set: flannel's delegate may leave it out, then it is a bridge's. */
function pluginAt(settings: readonly Setting[], prefix: string): CniPlugin[] {
  const own = settings
    .filter((setting) => setting.path.startsWith(prefix))
    .map((setting) => ({ ...setting, path: setting.path.slice(prefix.length) }));
  const first = own[0];
  const type = settingAt(own, 'type');
  if (!first || (type === undefined && !prefix.endsWith('delegate.'))) return [];
  const flag = (path: string): boolean | undefined => asBoolean(settingAt(own, path)?.value);
  const mtu = settingAt(own, 'mtu')?.value;
  const subnets = own.filter(({ path }) => path === 'ipam.subnet' || /^ipam\.ranges\.\d+(?:\.\d+)?\.subnet$/.test(path));
  return [
    {
      line: type?.line ?? first.line,
      type: String(type?.value ?? 'bridge'),
      bridge: settingAt(own, 'bridge')?.value?.toString(),
      mtu: typeof mtu === 'number' ? mtu : undefined,
      hairpinMode: flag('hairpinMode'),
      ipMasq: flag('ipMasq'),
      isGateway: flag('isGateway'),
      isDefaultGateway: flag('isDefaultGateway'),
      ipamType: settingAt(own, 'ipam.type')?.value?.toString(),
      subnets: subnets.map(({ line, value }) => ({ line, subnet: String(value) })),
      routes: own.filter(({ path }) => /^ipam\.routes\.\d+\.dst$/.test(path)).map(({ value }) => String(value)),
      capabilities: own
        .filter(({ path, value }) => path.startsWith('capabilities.') && value === true)
        .map(({ path }) => path.slice('capabilities.'.length)),
      delegates: [...pluginAt(own, 'delegate.'), ...pluginsAt(own, 'delegates')],
    },
  ];
}

const asBoolean = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);
