/** A mistake in what was asked for (exit code 2), with a sentence that says what is there instead. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The API server could not be asked at all (exit code 3). */
export class ClusterError extends Error {
  override name = 'ClusterError';
  /** The namespace of the kubeconfig's context, where that was known already. */
  contextNamespace: string | null = null;
}
