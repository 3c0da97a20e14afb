import { evidence } from '../../model/evidence.ts';
import { settingOf, sysctlEntry } from './settings.ts';
import { ended, nameOf, type Station, type Way } from './way.ts';

/**
 * Ends a packet that a station does not forward: a setting of the device that it came in by (IN_DEV_FORWARD in ip_route_input_slow); IPv6 has one for
 * all. Undefined where it does.
 */
export function notForwarding(way: Way, station: Station, device: string): Way[] | undefined {
  const own = way.packet.family === 'ip' ? `net/ipv4/conf/${device}/forwarding` : 'net/ipv6/conf/all/forwarding';
  const setting = settingOf(station, own);
  const general = settingOf(station, 'net/ipv4/ip_forward');
  const decisive = setting.value !== undefined || way.packet.family === 'ip6' ? setting : general;
  const base = { kind: 'route' as const, brief: 'not forwarding' };
  if (decisive.value === undefined) {
    const says = `whether ${nameOf(station)} forwards what comes in by ${device} was not read (${own.replaceAll('/', '.')})`;
    return ended(way, 'insufficient-info', { ...base, says, evidence: [evidence(sysctlEntry(station))] });
  }
  if (decisive.value !== 0) return undefined;
  const says = `${nameOf(station)} does not forward: ${decisive === setting ? `forwarding of ${device}` : 'net.ipv4.ip_forward'} is 0`;
  const lines = [decisive.line, ...(general.value === 0 ? [general.line] : [])];
  return ended(way, 'no-route', { ...base, says, evidence: [evidence(sysctlEntry(station), ...new Set(lines))] });
}
