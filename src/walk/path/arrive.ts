import { evidence } from '../../model/evidence.ts';
import type { Step } from '../../model/trace.ts';
import { isTunnel } from '../leg.ts';
import { type Device, deadReason, deviceLine, deviceOf, isBridge } from './stations.ts';
import { atStation, ended, going, nameOf, type Stage, type Station, type Way, withStep } from './way.ts';

/** Bytes beyond its MTU that a veth still takes, for a VLAN tag (is_skb_forwardable in net/core/dev.c). */
const slack = 4;

/** A frame comes to a device: too long for it, for its bridge, for another machine, or for the IP layer of its station. */
export const arrive: Stage<'arrive'> = (_world, way, { station, device: name, mac }) => {
  const here = entering(way, station);
  const device = deviceOf(station, name);
  if (device === undefined) {
    const says = `device ${name} of ${nameOf(station)} was not read`;
    return ended(here, 'insufficient-info', { kind: 'device', says, brief: name, evidence: [evidence(`${station.key}/ip-link`)] });
  }
  const { link } = device;
  const dead = deadReason(device);
  if (dead)
    return ended(here, 'dropped', { kind: 'device', says: `${dead} in ${nameOf(station)}`, brief: dead, evidence: [deviceLine(device)] });
  const long = tooLong(here, station, device);
  if (long) return long;
  const seen = withStep(here, {
    kind: 'device',
    says: `in by ${name} of ${nameOf(station)}`,
    brief: '',
    evidence: [deviceLine(device)],
    passes: { device: name, direction: 'in' },
  });
  const ingress = ingressRules(station, name);
  if (ingress) return ended(seen, 'insufficient-info', ingress);
  if (link.master !== undefined) {
    const master = deviceOf(station, link.master);
    if (master && isBridge(station, master)) {
      const masterDead = deadReason(master);
      if (masterDead === undefined) return [going(seen, { at: 'bridge', station, bridge: link.master, from: name, mac })];
      return ended(seen, 'dropped', {
        kind: 'bridge',
        says: `${masterDead} on ${nameOf(station)}`,
        brief: masterDead,
        evidence: [deviceLine(master)],
      });
    }
    const says = `what ${link.master}, the master of ${name} on ${nameOf(station)}, does with it is not worked out`;
    return ended(seen, 'insufficient-info', { kind: 'device', says, brief: link.master, evidence: [deviceLine(device)] });
  }
  if (mac !== undefined && link.address !== undefined && link.linkType === 'ether' && link.address.toLowerCase() !== mac) {
    const says = `${nameOf(station)} ignores it: it is for ${mac}, and ${name} is ${link.address}`;
    return ended(seen, 'dropped', {
      kind: 'device',
      says,
      brief: 'for another MAC',
      evidence: [deviceLine(device, 1), ...seen.chosenBy.slice(-2)],
    });
  }
  return [going(seen, { at: 'input', station, device: name, prerouted: false, port: undefined })];
};

/** A packet keeps its mark inside a namespace and loses it on the way into another (skb_scrub_packet). */
function entering(way: Way, station: Station): Way {
  const here = atStation(way, station);
  if (here.hops.length === way.hops.length) return here;
  return { ...here, packet: { ...here.packet, mark: 0, unknown: (here.packet.unknown ?? []).filter((field) => field !== 'mark') } };
}

/**
 * A veth does not take frames longer than its own MTU, whatever its other end sends; what a network card does with them is its driver's matter. A
 * tunnel takes out whatever was inside.
 */
function tooLong(way: Way, station: Station, device: Device): Way[] | undefined {
  const { name, mtu, kind } = device.link;
  const { length = 0 } = way.packet;
  if (mtu === undefined || length <= mtu + slack || isTunnel(device.link)) return undefined;
  const base = { kind: 'device' as const, brief: `mtu ${mtu}`, evidence: [deviceLine(device)] };
  if (kind === 'veth')
    return ended(way, 'dropped', { ...base, says: `${name} of ${nameOf(station)} does not take ${length} bytes: mtu ${mtu}` });
  const says = `whether ${name} of ${nameOf(station)} takes ${length} bytes with mtu ${mtu} can't be told`;
  return ended(way, 'insufficient-info', { ...base, says });
}

/** Rules of nft's netdev family see a packet before everything else, and are not worked out. */
function ingressRules(station: Station, device: string): Step | undefined {
  const nft = station.net.nft();
  if (nft.state !== 'seen') return undefined;
  for (const table of nft.value.tables.filter(({ family }) => family === 'netdev')) {
    const chain = table.chains.find(({ base, rules }) => base?.hook === 'ingress' && base.devices.includes(device) && rules.length > 0);
    if (chain === undefined) continue;
    const says = `${device} of ${nameOf(station)} has ingress rules (table netdev ${table.name}), which are not worked out`;
    return { kind: 'rules', says, brief: 'ingress rules?', evidence: [evidence(`${station.key}/nft`, chain.line)] };
  }
  return undefined;
}
