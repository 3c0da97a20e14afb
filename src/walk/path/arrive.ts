import { evidence } from '../../model/evidence.ts';
import { isTunnel } from '../leg.ts';
import { passHook } from './rules.ts';
import { tooLongFor } from './size.ts';
import { type Device, deadReason, deviceLine, deviceOf, isBridge } from './stations.ts';
import { atStation, ended, going, nameOf, type Stage, type Station, type Way, withStep } from './way.ts';

/** Bytes beyond its MTU that a veth still takes, for a VLAN tag (is_skb_forwardable in net/core/dev.c). */
const slack = 4;

/** A frame comes to a device: too long for it, for its bridge, for another machine, or for the IP layer of its station. */
export const arrive: Stage<'arrive'> = (world, way, { station, device: name, mac }) => {
  const here = entering(way, station);
  const device = deviceOf(station, name);
  if (device === undefined) {
    const says = `device ${name} of ${nameOf(station)} was not read`;
    return ended(here, 'insufficient-info', { kind: 'device', says, brief: name, evidence: [evidence(`${station.key}/ip-link`)] });
  }
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
  const { on, over } = hasIngressRules(station, name) ? passHook(world, seen, station, 'ingress', { in: name }) : { on: [seen], over: [] };
  return [...over, ...on.flatMap((passed) => handOver(passed, station, device, mac))];
};

/** To the bridge that the device is a port of, or to the IP layer where the frame is for this machine. */
function handOver(seen: Way, station: Station, device: Device, mac: string | undefined): Way[] {
  const { link } = device;
  const { name } = link;
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
}

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
  const tooLong = tooLongFor(way, { device: name, mtu, by: 'device' }, kind === 'veth' ? 'silent' : 'unclear', slack);
  const base = { kind: 'device' as const, brief: `mtu ${mtu}`, evidence: [deviceLine(device)], tooLong };
  if (kind === 'veth')
    return ended(way, 'dropped', { ...base, says: `${name} of ${nameOf(station)} does not take ${length} bytes: mtu ${mtu}` });
  const says = `whether ${name} of ${nameOf(station)} takes ${length} bytes with mtu ${mtu} can't be told`;
  return ended(way, 'insufficient-info', { ...base, says });
}

/** Chains of nft's ingress hook see what comes by a device before everything else does. */
function hasIngressRules(station: Station, device: string): boolean {
  const nft = station.net.nft();
  const chains = nft.state === 'seen' ? nft.value.tables.flatMap((table) => table.chains) : [];
  return chains.some(({ base }) => base?.hook === 'ingress' && base.devices.includes(device));
}
