import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { FdbEntry } from '../../model/link.ts';
import { isTunnel } from '../leg.ts';
import { flagsOf } from './bridge-ports.ts';
import { notForwarding } from './forwarding.ts';
import { resolve } from './neighbour.ts';
import { routeOf } from './route.ts';
import { passHook } from './rules.ts';
import { bridgeShowsRules } from './settings.ts';
import { tooLongFor } from './size.ts';
import { checkSource } from './source-check.ts';
import { type Device, deviceLine, deviceOf, devicesUnread, holdersOf, peerOf, portsOf } from './stations.ts';
import { confirm, isTranslated, trackPacket } from './tracking.ts';
import { acrossLink, deadDevice, leaves } from './transmit.ts';
import { ended, going, nameOf, type Stage, type Station, type Way, type World, withStep } from './way.ts';

interface Frame {
  station: Station;
  bridge: Device;
  /** The port that it came by; undefined for frames of the bridge device itself. */
  from: Device | undefined;
  mac: string | undefined;
  /** Its IP packet is shown to the IP rules on the bridge (br_netfilter). */
  shown: boolean;
  /** The setting that says so. */
  shownBy: EvidenceRef;
}

/**
 * A frame on a bridge (br_handle_frame, br_netfilter_hooks.c): PREROUTING where bridged packets are shown to the IP rules, and where that
 * changed the destination, the choice between routing and bridging to another port; then up to the bridge's own station, or by the FDB to a port.
 */
export const bridge: Stage<'bridge'> = (world, way, { station, bridge: name, from: port, mac }) => {
  const device = deviceOf(station, name);
  if (device === undefined)
    return unreadable(way, `bridge ${name} of ${nameOf(station)} was not read`, [evidence(`${station.key}/ip-link`)]);
  const from = port === undefined ? undefined : deviceOf(station, port);
  if (device.link.details.vlan_filtering === '1')
    return unreadable(way, `bridge ${name} of ${nameOf(station)} filters VLANs, which is not worked out`, [deviceLine(device, 2)]);
  const nft = station.net.nft();
  const table =
    nft.state === 'seen' ? nft.value.tables.find((item) => item.family === 'bridge' && item.chains.some((chain) => chain.base)) : undefined;
  if (table)
    return unreadable(way, `${nameOf(station)} has rules for bridged frames (table bridge ${table.name}), which are not worked out`, [
      evidence(`${station.key}/nft`, table.line),
    ]);
  if (from && flagsOf(from).state !== 'forwarding')
    return ended(way, 'dropped', {
      kind: 'bridge',
      says: `port ${port} of ${name} is ${flagsOf(from).state}`,
      brief: 'port blocked',
      evidence: [deviceLine(from, 3)],
    });
  const rules = bridgeShowsRules(station, way.packet.family, device.link.details);
  const shown = from === undefined ? false : rules.shown;
  if (shown === undefined) {
    const says = `whether ${nameOf(station)} shows bridged packets to its IP rules was not read (net.bridge.bridge-nf-call-iptables)`;
    return unreadable(way, says, [rules.evidence]);
  }
  const frame: Frame = { station, bridge: device, from, mac, shown, shownBy: rules.evidence };
  return shown ? shownToRules(world, way, frame) : switched(world, way, frame);
};

/** A packet of a translated connection that passes unseen is not translated back; where that is noticed, this is what to quote. */
function unseen(world: World, way: Way, { station, shownBy }: Frame): Way {
  const known = trackPacket(world, way, station);
  if (!isTranslated(known.packet)) return way;
  const says = `${nameOf(station)} does not show bridged packets to its rules, so that the addresses of this connection are not translated back`;
  return withStep({ ...way, chosenBy: [shownBy, ...way.chosenBy] }, { kind: 'bridge', says, brief: 'not translated', evidence: [shownBy] });
}

const unreadable = (way: Way, says: string, refs: EvidenceRef[]): Way[] =>
  ended(way, 'insufficient-info', { kind: 'bridge', says, brief: 'bridge?', evidence: refs });

/** br_nf_pre_routing: the rules see the bridge as incoming device and the port as its physical one. */
function shownToRules(world: World, way: Way, frame: Frame): Way[] {
  const { station, bridge: device, from } = frame;
  const tracked = trackPacket(world, way, station);
  const before = tracked.packet.destination;
  const { on, over } = passHook(world, tracked, station, 'prerouting', { in: device.link.name, bridgeIn: from?.link.name });
  return [
    ...over,
    ...on.flatMap((passed) => (passed.packet.destination === before ? switched(world, passed, frame) : redirected(world, passed, frame))),
  ];
}

/**
 * br_nf_pre_routing_finish after DNAT: the frame is routed on the bridge. To a new destination behind the same bridge it is bridged, with the MAC address
 * of that destination; to any other it goes up, and so does one that routing refuses, to be refused there. A martian ends here.
 */
function redirected(world: World, way: Way, frame: Frame): Way[] {
  const { station, bridge: device } = frame;
  return routeOf(way, station, device.link.name).flatMap((routed) => {
    if (routed.to === 'over' || (routed.to === 'device' && notForwarding(way, station, device.link.name))) return up(way, frame);
    const checked = checkSource(routed.way, station, device.link.name);
    if (!checked.passes) return checked.ways;
    if (routed.to === 'local' || routed.device !== device.link.name) return up(way, frame);
    const found = resolve(world, checked.way, station, device, routed.gateway);
    if (found.is === 'known') return switched(world, checked.way, { ...frame, mac: found.mac });
    const disposition = found.is === 'nobody' ? 'neighbour-unreachable' : 'insufficient-info';
    const says = `${nameOf(station)} ${found.is === 'nobody' ? 'finds nobody' : "can't be told to find anybody"} for ${routed.gateway} on ${device.link.name}: ${found.why}`;
    return ended(checked.way, disposition, {
      kind: 'neighbour',
      says,
      brief: `no neighbour ${routed.gateway}`,
      evidence: [...found.evidence, ...way.chosenBy],
    });
  });
}

const up = (way: Way, { station, bridge: device, from, shown }: Frame): Way[] => [
  going(
    withStep(way, {
      kind: 'bridge',
      says: `${device.link.name} of ${nameOf(station)} takes it for itself`,
      brief: '',
      evidence: [deviceLine(device, 1)],
      passes: { device: device.link.name, direction: 'in' },
    }),
    {
      at: 'input',
      station,
      device: device.link.name,
      prerouted: shown,
      port: from?.link.name,
    },
  ),
];

/** By destination MAC: the bridge's own, a port that the FDB names, else all ports that flood. */
function switched(world: World, way: Way, frame: Frame): Way[] {
  const { station, bridge: device, mac } = frame;
  const ports = portsOf(station, device.link.name);
  const own = [device, ...ports].some(({ link }) => link.address !== undefined && link.address.toLowerCase() === mac);
  if (own && frame.from) return up(way, frame);
  const fdb = station.net.fdb();
  const entries = fdb.state === 'seen' ? fdb.value.filter((item) => isOf(item, device.link.name, mac)) : [];
  const entry = entries.find((item) => item.state !== 'permanent' || ports.some(({ link }) => link.name === item.dev)) ?? entries[0];
  if (entry) {
    const ref = evidence(`${station.key}/bridge-fdb`, entry.line);
    if (entry.dev === device.link.name && frame.from) return up(way, frame);
    const port = ports.find(({ link }) => link.name === entry.dev);
    if (port) return toPort(world, way, frame, port, [ref]);
  }
  return flooded(world, way, frame, ports);
}

const isOf = (item: FdbEntry, bridgeName: string, mac: string | undefined): boolean =>
  item.master === bridgeName && item.mac.toLowerCase() === mac && item.vlan === undefined;

/** An unknown destination goes to every port; the one whose far end has the MAC address takes it. */
function flooded(world: World, way: Way, frame: Frame, ports: readonly Device[]): Way[] {
  const { station, bridge: device, mac, from } = frame;
  const others = ports.filter((port) => port.link.name !== from?.link.name || flagsOf(port).hairpin === true);
  const behind =
    others.find((port) => peerOf(world, station, port)?.device.link.address?.toLowerCase() === mac) ??
    others.find(
      ({ link }) =>
        isTunnel(link) && holdersOf(world, mac).some((holder) => holder.key !== station.key && holder.place.node !== station.place.name),
    );
  const fdb = evidence(`${station.key}/bridge-fdb`);
  if (behind) return toPort(world, way, frame, behind, [fdb]);
  const unseen = others.find((port) => peerOf(world, station, port) === undefined);
  const base = { kind: 'bridge' as const, evidence: [fdb, ...others.map((port) => deviceLine(port))].slice(0, 6) };
  if (unseen)
    return ended(way, 'insufficient-info', {
      ...base,
      says: `${device.link.name} of ${nameOf(station)} has no entry for ${mac}, and what is behind port ${unseen.link.name} was not read`,
      brief: 'FDB?',
    });
  const unread = tablesUnread(station);
  if (unread)
    return ended(way, 'insufficient-info', {
      ...base,
      says: `whether a port of ${device.link.name} on ${nameOf(station)} leads to ${mac} can't be told: ${unread.why}`,
      brief: 'FDB?',
      evidence: [unread.evidence, ...way.chosenBy],
    });
  const says = `no port of ${device.link.name} on ${nameOf(station)} leads to ${mac}, so that nobody has ${way.packet.destination} there any more`;
  return ended(way, 'neighbour-unreachable', { ...base, says, brief: 'no port', evidence: [...way.chosenBy, ...base.evidence] });
}

/** An output that was cut says nothing about ports and entries that it does not list. */
function tablesUnread(station: Station): { why: string; evidence: EvidenceRef } | undefined {
  const devices = devicesUnread(station);
  if (devices) return { why: devices, evidence: evidence(`${station.key}/ip-link`) };
  const fdb = station.net.fdb();
  if (fdb.state !== 'seen' || fdb.complete) return undefined;
  return { why: `the FDB of ${nameOf(station)} (bridge fdb) was not read whole`, evidence: evidence(fdb.from) };
}

/** br_forward: the port must forward, differ from the incoming one (or be in hairpin mode), and not be isolated from it. */
function toPort(world: World, way: Way, frame: Frame, port: Device, refs: EvidenceRef[]): Way[] {
  const { station, bridge: device, from, shown } = frame;
  const flags = flagsOf(port);
  const name = port.link.name;
  const refuse = (says: string, offset: number): Way[] =>
    ended(way, 'dropped', { kind: 'bridge', says, brief: `not to ${name}`, evidence: [deviceLine(port, offset), ...refs] });
  const dead = deadDevice(world, station, port);
  if (dead)
    return ended(way, 'dropped', {
      kind: 'bridge',
      says: `${device.link.name} of ${nameOf(station)} can't send by port ${name}: ${dead.says}`,
      brief: `${name} down`,
      evidence: [...dead.evidence, ...refs],
    });
  if (flags.state !== 'forwarding') return refuse(`port ${name} of ${device.link.name} on ${nameOf(station)} is ${flags.state}`, 3);
  if (from?.link.name === name && flags.hairpin !== true)
    return flags.hairpin === undefined
      ? unreadable(way, `whether port ${name} of ${device.link.name} is in hairpin mode was not read`, [deviceLine(port)])
      : refuse(
          `${device.link.name} of ${nameOf(station)} does not send it back by the port that it came by: hairpin mode of ${name} is off`,
          3,
        );
  if (from && flags.isolated && flagsOf(from).isolated)
    return refuse(`ports ${from.link.name} and ${name} of ${device.link.name} are isolated from each other`, 3);
  const passed = shown ? throughRules(world, way, frame, name) : { on: [from ? unseen(world, way, frame) : way], over: [] };
  const says = `${device.link.name} of ${nameOf(station)} ${frame.from ? 'bridges' : 'sends'} it to port ${name}`;
  return [
    ...passed.over,
    ...passed.on.flatMap((on) => {
      const { mtu } = port.link;
      const length = on.packet.length ?? 0;
      // br_dev_queue_push_xmit: a VLAN tag beyond the port's MTU is let through, no more (is_skb_forwardable).
      if (mtu !== undefined && length > mtu + 4)
        return ended(on, 'dropped', {
          kind: 'bridge',
          says: `${device.link.name} of ${nameOf(station)} does not send ${length} bytes by port ${name}: mtu ${mtu}`,
          brief: `mtu ${mtu}`,
          evidence: [deviceLine(port)],
          tooLong: tooLongFor(on, { device: name, mtu, by: 'device' }, 'silent', 4),
        });
      const stepped = withStep(withStep(on, { kind: 'bridge', says, brief: '', evidence: refs }), leaves(station, port));
      return acrossLink(world, stepped, station, port, on.packet.destination, frame.mac, refs);
    }),
  ];
}

/** br_nf_forward_ip and br_nf_post_routing: the bridge is both devices, its ports the physical ones. */
function throughRules(world: World, way: Way, { station, bridge: device, from }: Frame, port: string): { on: Way[]; over: Way[] } {
  const devices = { in: device.link.name, out: device.link.name, bridgeIn: from?.link.name, bridgeOut: port };
  const forwarded = passHook(world, way, station, 'forward', devices);
  const left = forwarded.on.map((on) => passHook(world, on, station, 'postrouting', { ...devices, in: undefined }));
  return {
    on: left.flatMap(({ on }) => on.map((one) => confirm(one, station))),
    over: [...forwarded.over, ...left.flatMap(({ over }) => over)],
  };
}
