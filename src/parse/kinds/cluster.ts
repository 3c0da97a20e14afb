import { parseAntctl } from '../antctl.ts';
import { parseBirdc } from '../birdc.ts';
import { parseCalicoctl } from '../calicoctl.ts';
import { parseCilium } from '../cilium.ts';
import { parseCniConfig } from '../cni-config.ts';
import { parseCorednsLog } from '../coredns-log.ts';
import { parseCorefile } from '../corefile.ts';
import { parseEmpty } from '../empty.ts';
import { parseHubble } from '../hubble.ts';
import { parseKubeProxyConfig } from '../kube-proxy-config.ts';
import { parseKubeProxyLog } from '../kube-proxy-log.ts';
import { parseKubeletConfig } from '../kubelet-config.ts';
import { parseOvsOfctl } from '../ovs-ofctl.ts';
import { parseSandboxEvents } from '../sandbox-events.ts';
import { parseSsSummary } from '../ss-summary.ts';
import { parseSysctl } from '../sysctl.ts';
import { parseToolMessages } from '../tool-message.ts';
import { parseUsage } from '../usage.ts';
import { parseWeave } from '../weave.ts';
import { cut, type Kind, kind, open } from './kind.ts';

/** Kinds of the cluster's programs, and what fits nothing else. */
export const clusterKinds: readonly Kind[] = [
  kind('kube-proxy-config', 'KubeProxyConfiguration', parseKubeProxyConfig, /kind"?: ?"?KubeProxyConfiguration/),
  kind('kubelet-config', 'KubeletConfiguration', parseKubeletConfig, /kind"?: ?"?KubeletConfiguration|^\{"kubeletconfig":/),
  kind(
    'cni-config',
    'CNI conf, conflist',
    parseCniConfig,
    /"cniVersion"|"plugins": ?\[|"type": ?"(?:bridge|flannel|calico|cilium-cni|portmap|host-local|ptp|multus|macvlan|ipvlan|weave-net|antrea|aws-cni)"/,
  ),
  kind(
    'kube-proxy-log',
    "kube-proxy's log",
    parseKubeProxyLog,
    /[IWEF]\d{4} [\d:.]+ +\d+ (?:server|server_linux|proxier|config|conntrack|cleanup|runner|healthcheck|shared_informer|bounded_frequency_runner|topology|iptables|service|node|reflector)\S*\.go:\d+\]/,
  ),
  kind('coredns-log', "CoreDNS' log", parseCorednsLog, /\[(?:INFO|WARNING|ERROR|FATAL)\] (?:plugin\/|\S+:\d+ - )|CoreDNS-\d/),
  kind(
    'corefile',
    'Corefile',
    parseCorefile,
    /^\s*(?:kubernetes (?:\S+ )*\S*\.(?:local|arpa)|forward \. \S|proxy \. |loadbalance\b|loop$|prometheus(?: \S*:\d+)?$|lameduck \d)/,
  ),
  kind(
    'sandbox-events',
    'events of kubectl describe, kubectl get events',
    parseSandboxEvents,
    /FailedCreatePodSandBox|NetworkPluginNotReady|NetworkNotReady|cni plugin not initialized|^\s*(?:Normal|Warning)\s+[A-Z]\w+\s+|^LAST SEEN/,
  ),
  kind('calicoctl', 'calicoctl node status', parseCalicoctl, /^IPv[46] BGP status|^Calico process is |^calico-node container is /, {
    otherwise: open('a table of peers has no end'),
  }),
  kind(
    'birdc',
    'birdcl show protocols, show route',
    parseBirdc,
    /^(?:0001 )?BIRD \S+ ready\.|^(?:2002-)?[Nn]ame +[Pp]roto +[Tt]able +[Ss]tate/,
    { otherwise: open('it has no closing 0000') },
  ),
  kind(
    'cilium',
    'cilium status, service list, bpf lb list, monitor',
    parseCilium,
    /^KVStore:\s|^ID +Frontend +Service Type|^SERVICE ADDRESS +BACKEND ADDRESS|^xx drop \(|^-> (?:endpoint|stack|overlay|network) /,
  ),
  kind(
    'hubble',
    'hubble observe',
    parseHubble,
    /^\{"(?:flow|lost_events)":|^\w{3} +\d+ [\d:.]+(?: \[[^\]]*\])?: \S+ (?:\([^)]*\) )?(?:->|<-|<>) |^TIMESTAMP +SOURCE +DESTINATION/,
    { otherwise: open('events were lost') },
  ),
  kind('ovs-ofctl', 'ovs-ofctl dump-flows', parseOvsOfctl, /^(?:NXST|OFPST)_FLOW reply|^ cookie=0x/),
  kind(
    'antctl',
    'antctl get',
    parseAntctl,
    /^FLOW\s*$|^TABLE-ID +TABLE-NAME|^(?:POD|NODE|NAME|NAMESPACE) +.*(?:NODE-SUBNET|INTERFACE-NAME|OF-?PORT|APPLIED-TO)/,
  ),
  kind(
    'weave',
    'weave status',
    parseWeave,
    /^\s*(?:->|<-) \S+:\d+\s+(?:established|pending|failed|retrying|connecting)|^ *PeerDiscovery: /,
  ),
  kind('ss-summary', 'ss -s', parseSsSummary, /^Total: \d+|^Transport Total {5}IP/, { otherwise: cut('its last lines are missing') }),
  kind(
    'usage',
    'the refusal of an option',
    parseUsage,
    /^[\w./-]+: (?:(?:invalid|unrecognized|unknown|illegal) option\b|option requires an argument)|^[Uu]sage: /,
  ),
  kind(
    'tool-message',
    'what a tool says when it could not do its work',
    parseToolMessages,
    /^(?:ipset|ip6?tables|nft|ipvsadm|conntrack|xtables-monitor|arptables|ebtables|brctl|ethtool|ss|nsenter)(?:-\w+)*(?: v[\d.]+)?(?: \([\w-]+\))?: (?!.*have been shown)|^(?:Option "|Command "|netlink error: |Dump terminated|Error talking to the kernel|no stats available|Cannot (?:get|identify) |need at least a dest|Can't initialize ipvs)|^Table `\S+' does not exist|: applet not found$|^(?:cat|head|tail|grep|lsmod|nameif): .*(?:No such file|Permission denied)|^ip: can't find device|error fetching interface information: |^(?:bridge|interface) \S+ does|^read of forward|: (?:command )?not found$|^Error: |^Error from server|^error: unable to upgrade|^(?:Cannot open network namespace|Cannot find device|Device "|Object ")|exec(?: of)?:? "\S+"(?::| failed:) /,
    { otherwise: open('messages stand in place of an output') },
  ),
  kind('sysctl', 'sysctl -a', parseSysctl, /^(?:net|kernel|vm|fs|user|dev)[./][\w./-]+ ?= ?/),
  kind('empty', 'no output', parseEmpty, /^$/, { otherwise: cut('there is nothing in it') }),
];
