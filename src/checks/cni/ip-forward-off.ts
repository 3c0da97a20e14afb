import { evidence } from '../../model/evidence.ts';
import { findSysctl, type SysctlEntry } from '../../parse/sysctl.ts';
import { bothWays, type Leg, type Passage, passagesOf } from '../../walk/leg.ts';
import { defineCheck } from '../check.ts';
import { farNodes, fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';

export const ipForwardOff = defineCheck({
  meta: {
    id: 'CNI010',
    slug: 'ip-forward-off',
    layer: 'cni',
    title: 'A node does not forward packets',
    since: '0.1.0',
    explain: {
      what: 'net.ipv4.ip_forward (or `forwarding` of the device by which the packets come in) is 0 on a node, so that the kernel drops without a word everything that it should route between its pods and the rest. Pods on one bridge still reach each other.',
      why: 'A hardening profile, `sysctl --system`, a network restart or cloud-init set it back after kubelet or the CNI had set it.',
      confirm: ['sysctl net.ipv4.ip_forward', 'sysctl -a | grep "conf.*forwarding"', 'nstat -az IpInAddrErrors   (rises with each packet)'],
      fix: [
        'sysctl -w net.ipv4.ip_forward=1, and in /etc/sysctl.d so that it stays',
        'When only a device is at 0: writing 0 and then 1 to ip_forward sets all of them; writing 1 over 1 does not',
      ],
      notThis: [
        '`forwarding` 0 on devices that carry no pod traffic (management, storage) is no fault',
        "ip_forward 0 inside a pod's own namespace is normal",
      ],
      refs: [
        'https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html',
        'https://kubernetes.io/docs/setup/production-environment/container-runtimes/#install-and-configure-prerequisites',
      ],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) =>
        bothWays(leg).flatMap((way) => passagesOf(facts, way).flatMap((passage) => (passage.kind === 'forward' ? [examine(passage)] : []))),
      passed: 'the nodes forward packets',
      by: 'sysctl net.ipv4.ip_forward and net.ipv4.conf.*.forwarding of the nodes of the flow',
      skipped: 'no node has to forward anything in this flow',
    }),
});

function examine(passage: Passage): LegFinding {
  const { net, node } = passage;
  if (node === null) return none;
  const sysctls = net.sysctls();
  if (sysctls.state !== 'seen') return unseen(sysctls, `settings of node ${node}`);
  const all = settingAt(sysctls.value, 'net/ipv4/ip_forward');
  if (all === undefined) return { state: 'unknown', reason: 'not-collected', detail: `net.ipv4.ip_forward of node ${node} was not read` };
  if (all.value === '0') return { state: 'broken', key: node, parts: (legs) => describe(node, 'net.ipv4.ip_forward', all, legs) };
  const device = passage.in === undefined ? undefined : settingAt(sysctls.value, `net/ipv4/conf/${passage.in}/forwarding`);
  if (device?.value === '0')
    return {
      state: 'broken',
      key: `${node} ${passage.in}`,
      parts: (legs) => describe(node, `net.ipv4.conf.${passage.in?.replaceAll('.', '/')}.forwarding`, device, legs),
    };
  return fine;
}

const settingAt = (entries: readonly SysctlEntry[], path: string): { value: string; line: number } | undefined => {
  const entry = findSysctl(entries, path);
  return entry?.state === 'value' ? { value: entry.value, line: entry.line } : undefined;
};

const describe = (node: string, name: string, entry: { line: number }, legs: readonly Leg[]) => ({
  title: `node ${node} does not forward: ${name} is 0, so that its pods and those of ${farNodes(legs, node)} can't reach each other`,
  where: { kind: 'sysctl', name: `${name}=0`, node },
  evidence: [evidence(`node/${node}/sysctl`, entry.line)],
  next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- sysctl ${name}`],
  fix: [
    name.endsWith('ip_forward')
      ? `sysctl -w net.ipv4.ip_forward=1 on ${node}, and find in /etc/sysctl.d (and in what runs sysctl --system) who set it to 0`
      : `sysctl -w '${name}=1' on ${node}`,
  ],
});
