import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { findSysctl } from '../../parse/sysctl.ts';
import type { Station } from './way.ts';

/** A kernel setting of a station: its number and line, or why it is not known. */
export type Setting = { value: number; line: number } | { value: undefined; why: 'absent' | 'unread' };

export function settingOf(station: Station, path: string): Setting {
  const sysctls = station.net.sysctls();
  if (sysctls.state !== 'seen') return { value: undefined, why: 'unread' };
  const entry = findSysctl(sysctls.value, path);
  if (entry?.state === 'value' && /^-?\d+$/.test(entry.value)) return { value: Number(entry.value), line: entry.line };
  const told = entry?.state === 'absent' || (entry === undefined && sysctls.complete);
  return { value: undefined, why: told ? 'absent' : 'unread' };
}

export const sysctlEntry = (station: Station): string => `${station.key}/sysctl`;

/** Whether bridged frames are shown to the IP rules (br_netfilter), and the line that says so; `shown` undefined: not known. */
export function bridgeShowsRules(
  station: Station,
  family: 'ip' | 'ip6',
  bridgeDetails: Readonly<Record<string, string>>,
): { shown: boolean | undefined; evidence: EvidenceRef } {
  const [name, detail] =
    family === 'ip' ? ['bridge-nf-call-iptables', 'nf_call_iptables'] : ['bridge-nf-call-ip6tables', 'nf_call_ip6tables'];
  const setting = settingOf(station, `net/bridge/${name}`);
  if (setting.value === undefined) return { shown: setting.why === 'absent' ? false : undefined, evidence: evidence(sysctlEntry(station)) };
  return { shown: setting.value === 1 || bridgeDetails[detail] === '1', evidence: evidence(sysctlEntry(station), setting.line) };
}
