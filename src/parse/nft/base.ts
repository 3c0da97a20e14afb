import type { BaseChain, Flowtable, Hook, TableFamily } from '../../model/netfilter.ts';

/** Names of priorities (nft(8), "Standard priority names"); in the bridge family they stand for other numbers. */
const priorityNames = new Map<string, number>(
  Object.entries({ raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 }),
);
const bridgePriorityNames = new Map<string, number>(Object.entries({ dstnat: -300, filter: -200, out: 100, srcnat: 300 }));

const hooks = new Set(['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress']);
const isHook = (text: string): text is Hook => hooks.has(text);

/**
 * `type filter hook input priority filter - 10; policy drop;`, with `device "eth0"` or `devices = { a, b }` behind the hook. A chain that
 * prints no policy accepts.
 */
export function readBase(text: string, family: TableFamily = 'ip'): BaseChain | undefined {
  const match = /^type (filter|nat|route) hook (\w+)(.*?) priority ([^;]+?)\s*;(?:\s*policy (\w+)\s*;)?/.exec(text);
  const [, type, hook = '', middle = '', priorityText = '', policy = 'accept'] = match ?? [];
  const priority = readPriority(priorityText, family);
  if (type === undefined || !isHook(hook) || priority === undefined) return undefined;
  return {
    type: type === 'nat' ? 'nat' : type === 'route' ? 'route' : 'filter',
    hook,
    priority,
    policy: policy === 'drop' ? 'drop' : policy === 'accept' ? 'accept' : 'unknown',
    devices: devicesOf(middle),
  };
}

const devicesOf = (text: string): string[] => [...text.replace(/\bdevices?\b/, '').matchAll(/[^\s",={}]+/g)].map((found) => found[0]);

export function readPriority(text: string, family: TableFamily): number | undefined {
  const match = /^(?:(-?\d+)|(\w+)(?:\s*([+-])\s*(\d+))?)$/.exec(text.trim());
  if (match === null) return undefined;
  if (match[1] !== undefined) return Number(match[1]);
  const base = (family === 'bridge' ? bridgePriorityNames : priorityNames).get(match[2] ?? '');
  if (base === undefined) return undefined;
  return base + (match[3] === '-' ? -1 : 1) * Number(match[4] ?? 0);
}

/** `hook ingress priority filter` and `devices = { eth0, eth1 }`. */
export function readFlowtable(block: { name: string; line: number; text: string[] }): Flowtable {
  const text = block.text.join(' ');
  const hook = /hook (\w+)/.exec(text)?.[1] ?? 'ingress';
  const priority = readPriority(/priority ([^;]+)/.exec(text)?.[1]?.split(' devices')[0] ?? '0', 'netdev') ?? 0;
  const devices = /devices = \{([^}]*)\}/.exec(text)?.[1] ?? '';
  const flags = ['offload', 'counter'].filter((flag) => block.text.some((line) => new RegExp(`^(flags )?${flag};?$`).test(line)));
  return { name: block.name, line: block.line, hook: isHook(hook) ? hook : 'ingress', priority, devices: devicesOf(devices), flags };
}
