/** The options of every command that asks nodes: which ones, what they were declared to be, and whom their TPMs are trusted by. */
export type NodeOptions = {
  readonly lab?: string;
  readonly releases?: string;
  readonly releaseRoot?: string;
  readonly image?: string;
  readonly extension?: readonly string[];
  readonly config?: string;
  readonly filesDir?: string;
  readonly nodeConfigs?: string;
  readonly ekRoots?: string;
  readonly cloudRoots?: string;
  readonly acceptExpiredEk?: true;
  readonly fetchIntermediates?: true;
  readonly pins?: string;
};
