import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/** A tool that did not do what it was asked for, in its own words: "could not look", never "is not there". */
export interface ToolMessage extends HasLine {
  /** The program that speaks: the tool, or the shell that did not find it. */
  program: string;
  /** `not-found`: there is no such program. `refused`: the kernel or the tool itself did not do it. `permission`: root is needed. */
  problem: 'not-found' | 'permission' | 'refused';
  text: string;
}

/**
 * Reads what netfilter's, iproute2's and other tools write to their standard error instead of an output: `ipset v7.10: Kernel and userspace incompatible…`, `iptables v1.8.9
 * (nf_tables): …`, `conntrack v1.4.7 (conntrack-tools): Operation failed: …`, `Error: …` of nft, `sh: ipvsadm: not found`. Never complete: there is no output.
 */
export function parseToolMessages(text: string): Parsed<ToolMessage[]> {
  const messages: ToolMessage[] = [];
  const unparsed = applyRules(linesOf(text), messages, rules, 'no message of a tool');
  return { value: messages, unparsed, complete: false };
}

/** Programs whose message begins with their name alone; a name with a version is a message whatever the name. */
const tools =
  'iptables|ip6tables|iptables-save|ip6tables-save|iptables-restore|nft|ipset|ipvsadm|conntrack|ip|bridge|tc|ss|brctl|ethtool|sysctl|netstat|ifconfig|route|arp|arptables|ebtables|dmesg|nsenter|crictl|kubectl|calicoctl|cilium|birdc|birdcl';

/** What `ip` and `bridge` say of an option, a word or a request that they or the kernel don't know. */
const ipRefusals = [
  ['ip', /^Option "\S+" is unknown, try "\S+ -help"\.$/],
  ['ip', /^Command "\S+" is unknown, try "[\w ]+ help"\.$/],
  ['ip', /^(?:RTNETLINK answers: Operation not supported|Error talking to the kernel|need at least a destination address)$/],
] as const;

/** Of ethtool's two ways to the kernel (netlink and ioctl). */
const ethtoolRefusals = [
  ['ethtool', /^netlink error: .+$/],
  ['ethtool', /^(?:rxclass: )?Cannot (?:get|identify|read|set|test) .+: (?:Operation not supported|No such device)$/],
  ['ethtool', /^(?:no stats available|RX classification rule retrieval failed)$/],
  ['ethtool', /^ethtool(?: \(-\w\))?: .+$/],
] as const;

const brctlRefusals = [
  ['brctl', /^(?:bridge|interface) \S+ (?:does not exist!|doesn't exist; can't delete it)$/],
  ['brctl', /^read of forward table failed: .+$/],
] as const;

const rules: readonly LineRule<ToolMessage[]>[] = [
  [
    /^(?:(?:\/\S+\/)?(?:ba|da|a|z)?sh: )?(?:(?:line )?\d+: )?([\w./-]+): (?:command )?not found$/,
    (messages, [text = '', program = ''], { line }) => messages.push({ line, program, problem: 'not-found', text }),
  ],
  [
    /^.*exec: "([\w./-]+)": (?:executable file not found|stat \S+: no such file).*$/,
    (messages, [text = '', program = ''], { line }) => messages.push({ line, program, problem: 'not-found', text }),
  ],
  [
    /^exec(?: of)? "([\w./-]+)"(?:: | failed: )(?:executable file not found|No such file or directory).*$/,
    (messages, [text = '', program = ''], { line }) => messages.push({ line, program, problem: 'not-found', text }),
  ],
  [
    /^([a-z][\w-]{1,30}) v\d+\.\d[\w.-]*(?: \([\w-]+\))?: (.+)$/,
    (messages, [text = '', program = '', words = ''], { line }) =>
      !/have been shown|have been/.test(words) && add(messages, line, program, text),
  ],
  [new RegExp(`^(${tools}): (.+)$`), (messages, [text = '', program = ''], { line }) => add(messages, line, program, text)],
  [/^Error: (.+)$/, (messages, [text = ''], { line }) => add(messages, line, 'nft', text)],
  ...[...ipRefusals, ...ethtoolRefusals, ...brctlRefusals].map(
    ([program, pattern]): LineRule<ToolMessage[]> => [pattern, (messages, _groups, { line, text }) => add(messages, line, program, text)],
  ),
  // nft repeats the command and points at the word
  [
    /^(?:list|get|add|create|insert|replace|delete|destroy|reset|flush|rename) [^\n]+$|^[ \t]*[\^~]+[ \t^~]*$/,
    (messages) => messages.length > 0,
  ],
  [/^Table `\S+' does not exist$/, (messages, _groups, { line, text }) => add(messages, line, 'iptables', text)],
  [/^Can't initialize ipvs: .+$/, (messages, _groups, { line, text }) => add(messages, line, 'ipvsadm', text)],
  [/^Are you sure that IP Virtual Server is built in the kernel or as module\?$/, (messages) => messages.length > 0],
  [
    /^(\w[\w-]*): applet not found$/,
    (messages, [text = '', program = ''], { line }) => messages.push({ line, program, problem: 'not-found', text }),
  ],
  [
    /^(cat|head|tail|grep|ls|lsmod|nameif|ip|ifconfig|\S+): .*(?:No such file or directory|Permission denied|can't find device '.*'|error fetching interface information: Device not found)$/,
    (messages, [text = '', program = ''], { line }) => add(messages, line, program, text),
  ],
  [/^(?:For more information run ethtool -h|Dump terminated)$/, (messages) => messages.length > 0],
  [/^Perhaps (?:ip6?tables|\S+) or your kernel needs to be upgraded\.$/, (messages) => messages.length > 0],
  [/^Try `(\w+) -h' or '\w+ --help' for more information\.$/, (messages) => messages.length > 0],
  [
    /^(?:Error from server|error: |Unable to connect to the server|The connection to the server )(.*)$/,
    (messages, [text = ''], { line }) => add(messages, line, 'kubectl', text),
  ],
  [/^command terminated with exit code \d+$/, (messages) => messages.length > 0],
  [
    /^(?:Cannot find device "|Device "\S+" does not exist|Object "\S+" is unknown|RTNETLINK answers: Operation not permitted)/,
    (messages, _groups, { line, text }) => add(messages, line, 'ip', text),
  ],
  [
    /^(?:Cannot open network namespace|setting the network namespace|Failed to open) .*$/,
    (messages, [text = ''], { line }) => add(messages, line, 'ip', text),
  ],
];

function add(messages: ToolMessage[], line: number, program: string, text: string): boolean {
  const needsRoot = /permission denied|operation not permitted|you must be root|are you root|forbidden|unauthorized/i.test(text);
  messages.push({ line, program, problem: needsRoot ? 'permission' : 'refused', text });
  return true;
}
