import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A device that saw the packet. */
export interface Seen {
  place: string;
  device: string;
  direction: 'in' | 'out';
  flow: 'request' | 'reply';
  /** The frame was for another machine: a bridge that did not know where to send it floods it to all. */
  forOther: boolean;
}

export interface Probed {
  answer: 'delivered' | 'refused' | 'none';
  seen: Seen[];
}

export interface Lab {
  listen(namespaces: Record<string, string>, protocol: string, port: number): Promise<void>;
  /** Everybody speaks to every address once. */
  warm(namespaces: Record<string, string>, to: readonly string[]): Promise<void>;
  probe(request: ProbeRequest): Promise<Probed>;
  /** Closes all sockets, so that namespaces can go. */
  close(): Promise<void>;
  end(): Promise<void>;
}

export interface ProbeRequest {
  namespaces: Record<string, string>;
  from: string;
  protocol: string;
  to: string;
  port: number;
  sourcePort: number;
  length: number;
  seconds: number;
}

/** Starts the process that sends and captures (lab.py). Needs root and Python 3. */
export function startLab(): Lab {
  const child: ChildProcess = spawn('python3', [fileURLToPath(new URL('lab.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((line: string) => void)[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  child.on('exit', () => {
    for (const tell of waiting.splice(0)) tell('{"error":"lab.py ended"}');
  });
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    const line = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as Record<string, unknown>;
    if (typeof answer.error === 'string') throw new Error(answer.error);
    return answer;
  };
  return {
    listen: async (namespaces, protocol, port) => void (await ask({ do: 'listen', namespaces, protocol, port })),
    warm: async (namespaces, to) => void (await ask({ do: 'warm', namespaces, to })),
    probe: async (request) => {
      const { answer, seen } = (await ask({ do: 'probe', ...request })) as {
        answer: Probed['answer'];
        seen: [string, string, Seen['direction'], Seen['flow'], boolean][];
      };
      return { answer, seen: seen.map(([place, device, direction, flow, forOther]) => ({ place, device, direction, flow, forOther })) };
    },
    close: async () => void (await ask({ do: 'close' })),
    end: async () => {
      child.stdin?.end();
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
