/** What takes connections for a server. */
export interface Listener {
  readonly port: number;
  /** Accepts no connections any more. @returns when those that it had are closed */
  stop(): Promise<void>;
  /** Ends all connections. */
  cut(): void;
}
