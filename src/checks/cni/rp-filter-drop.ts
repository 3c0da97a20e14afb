import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { waysOut } from '../../model/route.ts';
import { findSysctl, type SysctlEntry } from '../../parse/sysctl.ts';
import { bothWays, type Leg, type Passage, passagesOf } from '../../walk/leg.ts';
import { lookupRoute } from '../../walk/route-lookup.ts';
import { defineCheck } from '../check.ts';
import { fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';

export const rpFilterDrop = defineCheck({
  meta: {
    id: 'CNI012',
    slug: 'rp-filter-drop',
    layer: 'cni',
    title: "A node's reverse path filter drops pod traffic",
    since: '0.1.0',
    explain: {
      what: 'With rp_filter 1 (strict) a node drops a packet when its own route back to the sender does not leave by the device on which the packet came in; with 2 (loose) only when it has no route back at all. What counts is the higher of conf.all and conf.DEVICE. The packet is seen on the device, and nowhere after it.',
      why: 'The distribution sets 1 or a hardening profile raises conf.all, while the way back is another: a route by another network card, a tunnel device that is not the one of the route, several network cards in one network.',
      confirm: [
        'sysctl -a | grep rp_filter',
        'ip route get SOURCE_POD_IP',
        'nstat -az TcpExtIPReversePathFilter   (rises with each packet)',
      ],
      fix: [
        'Mend the route back, so that it leaves by the device on which the packets come',
        'Or rp_filter=2 on that device (and not 1 in conf.all)',
      ],
      notThis: [
        'rp_filter 2 on network cards is wanted by AWS VPC CNI, Cilium and systemd',
        "Calico's own `-m rpfilter` rule in the raw table does the same without the setting",
        '0 on the device with 1 in conf.all is not off',
      ],
      refs: ['https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html', 'https://github.com/projectcalico/calico/issues/4630'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => bothWays(leg).flatMap((way) => passagesOf(facts, way).map((passage) => examine(facts, way, passage))),
      passed: 'reverse path filtering lets the packets of this flow pass',
      by: 'sysctl net.ipv4.conf.*.rp_filter against the routes of the nodes of the flow',
      skipped: 'no node routes anything in this flow',
    }),
});

function examine(facts: Facts, way: Leg, passage: Passage): LegFinding {
  const { net, node } = passage;
  const dev = passage.in;
  if (node === null || dev === undefined || (passage.kind !== 'forward' && passage.kind !== 'in')) return none;
  const sysctls = net.sysctls();
  if (sysctls.state !== 'seen') return unseen(sysctls, `settings of node ${node}`);
  const [all, own] = [settingOf(sysctls.value, 'all'), settingOf(sysctls.value, dev)];
  if (!all || !own) return { state: 'unknown', reason: 'not-collected', detail: `rp_filter of ${dev} on node ${node} was not read` };
  if (Math.max(all.value, own.value) !== 1) return fine; // 2 drops only where there is no route back at all: CNI002.
  const back = lookupRoute(net, { to: way.from.address });
  if (back.state !== 'seen') return unseen(back, `routes of node ${node}`);
  const { route } = back.value;
  const ways = route ? waysOut(route) : [];
  if (!route || ways === undefined) return none;
  if (ways.some((item) => item.dev === dev)) return fine;
  if (!back.complete) return { state: 'unknown', reason: 'unparsed', detail: `routes or rules of node ${node} were not read whole` };
  const which = own.value >= all.value ? own : all;
  const name = `net.ipv4.conf.${which === own ? dev.replaceAll('.', '/') : 'all'}.rp_filter`;
  return {
    state: 'broken',
    key: `${node} ${dev} ${route.line}`,
    parts: () => ({
      title: `node ${node} drops what comes from ${way.from.address} on ${dev}: ${name} is 1 (strict), and its route back leaves by ${back.value.dev}`,
      where: { kind: 'sysctl', name: `${name}=1`, node },
      evidence: [evidence(`node/${node}/sysctl`, which.line), evidence(`node/${node}/ip-route`, route.line), ...counter(facts, node)],
      next: [
        `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- sh -c 'ip route get ${way.from.address}; nstat -az TcpExtIPReversePathFilter'`,
      ],
      fix: [
        `make the route to ${way.from.address} on ${node} leave by ${dev} (restart the CNI agent there), or set net.ipv4.conf.${dev.replaceAll('.', '/')}.rp_filter=2`,
      ],
    }),
  };
}

const settingOf = (entries: readonly SysctlEntry[], device: string): { value: number; line: number } | undefined => {
  const entry = findSysctl(entries, `net/ipv4/conf/${device}/rp_filter`);
  return entry?.state === 'value' && /^[012]$/.test(entry.value) ? { value: Number(entry.value), line: entry.line } : undefined;
};

/** The kernel's own count of such drops, where it is above zero. */
function counter(facts: Facts, node: string): ReturnType<typeof evidence>[] {
  const entry = facts.nodeNet(node).entry('nstat');
  const at = entry?.stdout.split('\n').findIndex((line) => /^TcpExtIPReversePathFilter\s+[1-9]/.test(line)) ?? -1;
  return entry && at >= 0 ? [evidence(entry.key, at + 1)] : [];
}
