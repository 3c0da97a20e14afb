/** Whether to colour: the flag, then NO_COLOR (no-color.org), FORCE_COLOR, CI systems that render ANSI, then whether it is a terminal. */
export function wantsColor(flag: 'auto' | 'always' | 'never', stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  if (flag !== 'auto') return flag === 'always';
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '0') return true;
  if (environment.GITHUB_ACTIONS || environment.GITLAB_CI) return true;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** Columns to write for. */
export const columns = (stream: { columns?: number }, environment: NodeJS.ProcessEnv): number => {
  const fromEnvironment = Number(environment.COLUMNS);
  if (Number.isInteger(fromEnvironment) && fromEnvironment >= 40) return fromEnvironment;
  return Math.max(60, Math.min(stream.columns ?? 100, 160));
};

/** How a report is laid out on standard output. */
export const styleOf = ({ color, verbose }: { color: 'auto' | 'always' | 'never'; verbose: number }) => ({
  color: wantsColor(color, process.stdout, process.env),
  width: columns(process.stdout, process.env),
  verbose,
});

/** Writes all of it before it returns, also into a pipe; a reader that went away (`| head`) is no error. */
export function writeOut(text: string, stream: NodeJS.WritableStream = process.stdout): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}
