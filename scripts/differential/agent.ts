import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface Sending {
  send: { device: string; frame: string }[];
  local: { packet: string; from: string; to: string; mark: number }[];
  /** Seconds without a packet after which nothing more is waited for. */
  quiet: number;
}

export interface Received {
  frames: { device: string; frame: string }[];
  local: string[];
  /** Index of the local packet and name of the error that sending it gave. */
  errors: [number, string][];
}

/** Talks to `agent.py`, which stands in the namespaces of the lab. */
export class Agent {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly answers: AsyncIterator<string>;

  constructor(router: string, world: string, devices: readonly string[]) {
    this.child = spawn('python3', [`${import.meta.dirname}/agent.py`, router, world, ...devices], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Waits for the agent to have its sockets. */
  ready = (): Promise<unknown> => this.answer();

  /** Runs a shell script in the router's namespace. */
  run = (script: string): Promise<Ran> => this.ask<Ran>({ run: script });

  /** Sends packets and says what came of them. */
  send = (sending: Sending): Promise<Received> => this.ask<Received>(sending);

  stop(): void {
    this.child.stdin.end();
  }

  private ask<T>(request: object): Promise<T> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer<T>();
  }

  private async answer<T>(): Promise<T> {
    const { value, done } = await this.answers.next();
    if (done) throw new Error('the agent in the namespaces has ended');
    return JSON.parse(value) as T;
  }
}
